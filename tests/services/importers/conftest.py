"""Small SDTM sources, built from what matters to a test."""

from collections.abc import Callable, Mapping

import pytest

from hepatrail_services.importers.mapping import SdtmMapping, read_mapping
from hepatrail_services.importers.source import Source, SourceRow

Rows = Callable[..., Source]

_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "DM": {
        "USUBJID": "01-701-1015",
        "SITEID": "701",
        "DMDTC": "2013-12-26",
        "SEX": "F",
        "AGE": "63",
        "AGEU": "YEARS",
        "ARMCD": "Pbo",
        "DTHDTC": "",
    },
    "EX": {"USUBJID": "01-701-1015", "EXSEQ": "1", "EXSTDTC": "2014-01-02"},
    "LB": {
        "USUBJID": "01-701-1015",
        "LBSEQ": "1",
        "LBTESTCD": "BILI",
        "LBCAT": "CHEMISTRY",
        "LBORRES": "0.5",
        "LBORRESU": "mg/dL",
        "LBORNRLO": "0.2",
        "LBORNRHI": "1.2",
        "VISITNUM": "1.0",
        "LBDTC": "2013-12-26T14:45",
    },
    "AE": {
        "USUBJID": "01-701-1015",
        "AESEQ": "1",
        "AESPID": "E01",
        "AETERM": "DIARRHEA AT NIGHT",
        "AEDECOD": "DIARRHOEA",
        "AESEV": "MILD",
        "AESER": "N",
        "AEACN": "",
        "AEREL": "REMOTE",
        "AEOUT": "RECOVERED/RESOLVED",
        "AESDTH": "N",
        "AESLIFE": "N",
        "AESHOSP": "N",
        "AESDISAB": "N",
        "AESCONG": "N",
        "AESCAN": "N",
        "AESOD": "N",
        "AEDTC": "2014-01-16",
        "AESTDTC": "2014-01-09",
        "AEENDTC": "2014-01-11",
    },
    "VS": {
        "USUBJID": "01-701-1015",
        "VSSEQ": "1",
        "VSTESTCD": "SYSBP",
        "VSPOS": "SUPINE",
        "VSORRES": "130",
        "VSORRESU": "mmHg",
        "VSTPT": "AFTER LYING DOWN FOR 5 MINUTES",
        "VISITNUM": "1.0",
        "VSDTC": "2013-12-26",
    },
    "SV": {"USUBJID": "01-701-1015", "VISITNUM": "1.0", "SVSTDTC": "2013-12-26"},
    "DS": {
        "USUBJID": "01-701-1015",
        "DSSEQ": "1",
        "DSTERM": "PROTOCOL COMPLETED",
        "DSDECOD": "COMPLETED",
        "VISITNUM": "13.0",
        "DSSTDTC": "2014-07-02",
    },
}


@pytest.fixture
def sdtm() -> Rows:
    """`sdtm(dm=[{...}], lb=[{...}])`: a source whose rows are the defaults with what is named changed."""

    def build(**domains: list[dict[str, str]]) -> Source:
        return Source(
            {
                domain: tuple(
                    SourceRow(domain, number, {**defaults, **named})
                    for number, named in enumerate(domains.get(domain.lower(), []), 1)
                )
                for domain, defaults in _DEFAULTS.items()
            },
            (),
        )

    return build


@pytest.fixture
def shipped() -> SdtmMapping:
    """The mapping that comes with the importer."""
    return read_mapping()
