"""The databases that cannot be installed everywhere, as they were observed."""

from .dialects import Answer, Profile
from .profiles import (
    CLOUD_SERVERLESS,
    CLOUD_TSM,
    NEWEST,
    V1_6,
    V1_13,
    V2_7,
    V3,
    VM_AUTH,
    VM_CLUSTER,
    VM_NEW,
    VM_OLD,
)
from .server import Emulator, Fault, Seen

__all__ = [
    "CLOUD_SERVERLESS",
    "CLOUD_TSM",
    "NEWEST",
    "V1_6",
    "V1_13",
    "V2_7",
    "V3",
    "VM_AUTH",
    "VM_CLUSTER",
    "VM_NEW",
    "VM_OLD",
    "Answer",
    "Emulator",
    "Fault",
    "Profile",
    "Seen",
]
