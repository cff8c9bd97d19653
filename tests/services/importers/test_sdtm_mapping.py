"""A mapping may be a shipped one, or say only what is otherwise than in a shipped one."""

from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_services.importers.mapping import SdtmMapping, read_mapping


def test_a_shipped_mapping_is_read_by_its_name(shipped: SdtmMapping) -> None:
    assert read_mapping(Path("cdisc_pilot.toml")) == shipped
    other = read_mapping(Path("cdisc_msg.toml"))
    assert isinstance(other, SdtmMapping)
    assert (other.study, other.dm.consent_date, other.ae.reported) == ("CDISCMSG2", "RFICDTC", "AESTDTC")
    assert (other.lb, other.ds, other.vs) == (shipped.lb, shipped.ds, shipped.vs)


def test_what_a_mapping_states_otherwise_counts_and_the_rest_stays(shipped: SdtmMapping, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "cdisc_pilot.toml"\n[ds.dispositions]\n"MOVED" = "WITHDREW"\n', encoding="utf-8")
    mapping = read_mapping(path)
    assert isinstance(mapping, SdtmMapping)
    assert mapping.ds is not None
    assert shipped.ds is not None
    assert mapping.ds.dispositions == {**shipped.ds.dispositions, "MOVED": "WITHDREW"}
    assert mapping.model_copy(update={"ds": shipped.ds}) == shipped


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('extends = "elsewhere.toml"', "extends 'elsewhere.toml', which is none of cdisc_pilot.toml, cdisc_msg.toml"),
        ('extends = "cdisc_pilot.toml"\n[ds.dispositions]\n"X" = "GONE"', "is wrong at ds.dispositions.X"),
        ('extends = "cdisc_pilot.toml"\n[ds]\nunheard = "X"', "is wrong at ds.unheard"),
    ],
)
def test_a_mapping_that_is_wrong_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StartRefused) as refused:
        read_mapping(path)
    assert sentence in str(refused.value)


def test_a_mapping_that_is_not_there_is_refused() -> None:
    with pytest.raises(StartRefused, match=r"The mapping nowhere\.toml cannot be read"):
        read_mapping(Path("nowhere.toml"))
