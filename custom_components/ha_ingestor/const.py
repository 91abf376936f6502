"""Constants of the Home Assistant shell."""

import logging
from typing import Final

DOMAIN: Final = "ha_ingestor"
NAME: Final = "HA Ingestor"
LOGGER: Final = logging.getLogger(__package__)
DOCS_URL: Final = "https://github.com/ha-ingestor/ha_ingestor/blob/main/docs/"

# The path of the panel in the sidebar.
PANEL_PATH: Final = "ha-ingestor"

CONF_DIALECT: Final = "dialect"
CONF_ORG: Final = "org"
CONF_BUCKET: Final = "bucket"
CONF_DATABASE: Final = "database"
CONF_RETENTION_POLICY: Final = "retention_policy"
CONF_CA_CERTIFICATE: Final = "ca_certificate"
CONF_REFRESH: Final = "refresh"

SUBENTRY_DATA_API: Final = "data_api"
SUBENTRY_REMOTE: Final = "remote"
SUBENTRY_MQTT: Final = "mqtt"

# Backups leave out `*.log.*`: a restored spool would deliver its points a second time.
SPOOL_DIRECTORY: Final = "ha_ingestor.log.d"
