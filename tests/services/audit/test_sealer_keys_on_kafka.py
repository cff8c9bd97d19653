"""Keys of the sealer on a real log: published by itself, changed without a gap, refused when another followed."""

import asyncio
from pathlib import Path

import pytest

from hepatrail_events.errors import StartRefused
from hepatrail_events.transparency.note import SigningKey
from hepatrail_events.transparency.seal import SealReason
from hepatrail_infra.clock import SystemClock
from hepatrail_services.audit.demand import demand_seal
from hepatrail_services.audit.sealer_process import SealerProcess
from hepatrail_services.audit.study_records import published_keys
from hepatrail_services.decider.trial_rules import TrialRules
from runtime_support import deciding
from sealed_log import KEY, NEXT_KEY
from sealer_child import process
from sealer_kafka import opened_seals, running, seals_to


async def test_a_key_that_the_study_never_had_is_refused_or_published(kafka: str, tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="has not published this sealer's key"):
        await asyncio.wait_for(process(kafka, tmp_path).run(), 30)
    async with deciding(kafka, rules=TrialRules()):
        sealer = _publishing(kafka, tmp_path, KEY)
        async with running(sealer) as task:
            (seal,) = await seals_to(kafka, 1, task)
        assert seal.reason is SealReason.START
    assert await published_keys(kafka) == (KEY.public,)


def _publishing(kafka: str, directory: Path, *keys: SigningKey) -> SealerProcess:
    return SealerProcess(
        kafka,
        SystemClock(),
        seeds=[key.seed for key in keys],
        publish=True,
        instance="sealer-0",
        log_origin="hepatrail.test",
        every=0.05,
        directory=directory,
        org="Sponsor",
    )


async def test_keys_change_without_a_gap(kafka: str, tmp_path: Path) -> None:
    async with deciding(kafka, rules=TrialRules()):
        async with running(_publishing(kafka, tmp_path, KEY)) as task:
            await seals_to(kafka, 1, task)
        async with running(_publishing(kafka, tmp_path, NEXT_KEY, KEY)) as task:
            await seals_to(kafka, 2, task)
        assert await published_keys(kafka) == (KEY.public, NEXT_KEY.public)
        rotation = (await opened_seals(kafka))[-1]
        assert (rotation.seal.reason, set(rotation.signers)) == (SealReason.ROTATION, {KEY.public})
        with pytest.raises(StartRefused, match="this one signs no seal any more"):
            await asyncio.wait_for(_publishing(kafka, tmp_path, KEY).run(), 30)
        async with running(_publishing(kafka, tmp_path, NEXT_KEY)) as task:
            await demand_seal(kafka, SystemClock(), by="auditor-1", patience=20)
        last = (await opened_seals(kafka))[-1]
        assert last.signers == {NEXT_KEY.public}
