"""Messages of the broker of Home Assistant's MQTT integration."""
