"""Which controls a kind of rule serves, by the ids of `controls.yaml`. A rule may serve several."""

from typing import Final

ENCRYPTION: Final = (
    *("SOC2:CC6.1", "SOC2:C1.1", "PCI:3.5.1", "ISO:A.8.24", "DORA:9.2", "DORA:9.4", "NIS2:21.2.h"),
)
KEYS: Final = (*("SOC2:CC6.1", "PCI:3.6.1", "PCI:3.7.4", "ISO:A.8.24", "DORA:9.4", "NIS2:21.2.h"),)
CREDENTIALS: Final = (*("SOC2:CC6.1", "PCI:8.3.9", "PCI:8.6.3", "ISO:A.5.17", "DORA:9.4", "NIS2:21.2.i"),)
NETWORK: Final = (
    *("SOC2:CC6.6", "PCI:1.3.1", "PCI:1.4.4", "ISO:A.8.20", "ISO:A.8.22", "DORA:9.4", "NIS2:21.2.e"),
)
TRANSIT: Final = (*("SOC2:CC6.7", "PCI:4.2.1", "ISO:A.5.14", "ISO:A.8.24", "DORA:9.2", "NIS2:21.2.h"),)
LOGGING: Final = (*("SOC2:CC7.2", "PCI:10.2.1", "ISO:A.8.15", "DORA:10.1", "NIS2:21.2.b"),)
DETECTION: Final = (
    *("SOC2:CC7.1", "SOC2:CC7.2", "PCI:10.4.1", "PCI:11.5.1", "ISO:A.8.16", "DORA:10.1", "NIS2:21.2.b"),
)
RETENTION: Final = (*("SOC2:CC7.3", "PCI:10.5.1", "ISO:A.5.28", "ISO:A.5.33", "DORA:17.3", "NIS2:21.2.b"),)
EVIDENCE: Final = ("SOC2:CC7.2", "PCI:10.3.2", "PCI:10.3.4", "ISO:A.8.15", "ISO:A.5.28", "DORA:10.1")
BACKUP: Final = (*("SOC2:A1.2", "SOC2:CC7.5", "ISO:A.8.13", "DORA:12.1", "NIS2:21.2.c"),)
AVAILABILITY: Final = (*("SOC2:A1.2", "ISO:A.8.14", "DORA:11.1", "DORA:12.4", "NIS2:21.2.c"),)
DELETION: Final = (*("SOC2:A1.2", "SOC2:CC8.1", "ISO:A.5.33", "ISO:A.8.32", "DORA:9.4", "NIS2:21.2.c"),)
ACCESS: Final = (
    *("SOC2:CC6.1", "SOC2:CC6.3", "PCI:7.2.1", "PCI:7.2.2", "ISO:A.5.15", "ISO:A.8.2"),
    *("DORA:9.4", "NIS2:21.2.i"),
)
IDENTITY: Final = (
    *("SOC2:CC6.1", "SOC2:CC6.2", "PCI:8.2.1", "PCI:8.6.1", "ISO:A.5.16", "ISO:A.8.5"),
    *("DORA:9.4", "NIS2:21.2.j"),
)
TENANCY: Final = (
    *("SOC2:CC6.1", "SOC2:C1.1", "PCI:A1.1.2", "PCI:A1.1.3", "ISO:A.5.23", "ISO:A.8.3"),
    *("DORA:9.4", "NIS2:21.2.i"),
)
HARDENING: Final = (*("SOC2:CC6.8", "PCI:2.2.1", "PCI:2.2.6", "ISO:A.8.9", "DORA:9.4", "NIS2:21.2.e"),)
SUPPLY: Final = (*("SOC2:CC8.1", "PCI:6.3.2", "ISO:A.5.21", "ISO:A.8.32", "DORA:9.4", "NIS2:21.2.d"),)
API: Final = (
    *("SOC2:CC6.1", "SOC2:CC6.6", "PCI:6.4.2", "PCI:8.2.1", "ISO:A.8.5", "ISO:A.8.26"),
    *("DORA:9.4", "NIS2:21.2.e"),
)
INVENTORY: Final = (*("SOC2:CC3.2", "PCI:12.5.1", "ISO:A.5.9", "DORA:8.4", "NIS2:21.2.i"),)
LOCATION: Final = ("SOC2:C1.1", "ISO:A.5.23", "ISO:A.5.34", "DORA:28.1", "NIS2:21.2.a")
