"""Limits of checks: every value has its source, and a site's file replaces what it names."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contimg_lab.config import Config, read_config
from contimg_lab.errors import ConfigError
from contimg_lab.thresholds import (
    DEFAULT_SET,
    packaged_thresholds,
    read_reviewers,
    read_thresholds,
    threshold_sets,
)

KEY = "ab" * 32


@pytest.fixture
def site(tmp_path):
    """Write a site's file, and return the settings that name it."""

    def write(text: str) -> Config:
        path = tmp_path / "limits.toml"
        path.write_text(text, encoding="utf-8")
        return read_config(environ={"CONTIMG_LAB_THRESHOLDS": str(path)})

    return write


def test_every_value_of_the_package_has_a_unit_and_a_source():
    """No limit stands in the package's file without saying whose it is."""
    for name in threshold_sets(Config()):
        limits = packaged_thresholds(name).limits
        assert set(limits) == set(packaged_thresholds().limits)
        assert all(limit.source.startswith(("practice", "ours")) for limit in limits.values())
        assert all(limit.unit for limit in limits.values())


def test_without_a_site_file_the_default_set_is_the_packages():
    """The default is dsa110, and the digest is of its values as canonical JSON."""
    limits = read_thresholds(Config())
    assert limits == packaged_thresholds()
    assert limits.name == DEFAULT_SET
    text = json.dumps(limits.values, sort_keys=True, separators=(",", ":"))
    assert limits.digest == hashlib.sha256(text.encode()).hexdigest()
    assert packaged_thresholds("askap").digest != limits.digest
    assert packaged_thresholds("askap")["flux_ratio.low"] == 0.9
    assert packaged_thresholds("askap")["noise.warn"] == limits["noise.warn"]


def test_a_site_replaces_a_value_by_its_name(site):
    """What the file names is replaced, with its own source, and nothing else."""
    config = site('[sets.dsa110.noise]\nwarn = {value = 1.4, source = "our wiki"}')
    limits = read_thresholds(config)
    assert config.origin["thresholds"] == "CONTIMG_LAB_THRESHOLDS"
    assert limits["noise.warn"] == 1.4
    assert limits.limits["noise.warn"].source == "our wiki"
    assert limits.limits["noise.warn"].unit == "1"
    assert "limits.toml" in limits.origin
    changed = {n for n, v in limits.values.items() if packaged_thresholds()[n] != v}
    assert changed == {"noise.warn"}
    assert limits.digest != packaged_thresholds().digest


def test_a_site_may_have_a_set_of_its_own(site):
    """A new set begins with its base, may be the default, and is listed with its words."""
    config = site(
        'default = "mine"\n[sets.mine]\nbase = "askap"\nabout = "ours"\n'
        '[sets.mine.beam]\nwarn = {value = 1.7, source = "us"}'
    )
    limits = read_thresholds(config)
    assert (limits.name, limits["beam.warn"], limits["flux_ratio.low"]) == ("mine", 1.7, 0.9)
    assert list(threshold_sets(config)) == ["mine", "askap", "dsa110"]
    assert threshold_sets(config)["mine"] == "ours"
    assert read_thresholds(config, "dsa110").values == packaged_thresholds().values


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[sets.dsa110.noise]\nwarm = {value = 1, source = "x"}', "no threshold 'noise.warm'"),
        ('[sets.dsa110.nose]\nwarn = {value = 1, source = "x"}', "no threshold 'nose.warn'"),
        ("[sets.dsa110.noise]\nwarn = {value = 1}", "no source"),
        ('[sets.dsa110.noise]\nwarn = {value = nan, source = "x"}', "no finite number"),
        ('[sets.dsa110.noise]\nwarn = {value = true, source = "x"}', "no finite number"),
        ('[sets.dsa110.noise]\nwarn = {value = 1, unit = "Jy", source = "x"}', "the unit is '1'"),
        ('[sets.dsa110.noise]\nwarn = {value = 1, source = "x", of = 2}', "unknown 'of'"),
        ("[sets.dsa110.noise]\nwarn = 1.4", "is no table"),
        ("[sets.dsa110]\nnoise = 1.4", "is no table"),
        ("[sets.new]\n", "names no base"),
        ('[sets.new]\nbase = "none"', "is not known before it"),
        ('default = "other"', "is no set"),
        ("limits = 1", "unknown 'limits'"),
        ("sets = 3", "is no table"),
        ("not toml at all", "limits.toml"),
        ('[sets."a b"]\nbase = "dsa110"', "cannot name a set"),
    ],
)  # fmt: skip
def test_what_a_site_gets_wrong_is_named(site, text, told):
    """An unknown name, a value without a source or a file that is no TOML is refused in words."""
    with pytest.raises(ConfigError, match=told):
        read_thresholds(site(text))


def test_a_set_or_file_that_is_not_there_is_named(tmp_path):
    """The error of a missing set lists those that there are; that of a missing file its path."""
    with pytest.raises(ConfigError, match="there are askap, dsa110"):
        read_thresholds(Config(), "strict")
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        read_thresholds(Config(thresholds=tmp_path / "gone.toml"))


def test_reviewers_stand_in_the_same_file(site):
    """Names and keys are read; nobody is listed where no file lists anybody."""
    assert read_reviewers(Config()) == {}
    config = site(f'[[reviewers]]\nname = "Ana"\npublic_keys = ["{KEY}"]\n[[reviewers]]\nname="B"')
    assert read_reviewers(config) == {"Ana": (KEY,), "B": ()}
    for text in (
        'reviewers = "Ana"', '[[reviewers]]\nname = " "', '[[reviewers]]\nname = "A"\nkey = "x"',
        '[[reviewers]]\nname = "A"\npublic_keys = ["AB"]',
        f'[[reviewers]]\nname = "A"\npublic_keys = "{KEY}"',
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=r"reviewer|public_keys"):
            read_reviewers(site(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_recorded_set_can_be_used_again(value):
    """Recorded values give the recorded digest; a name that is unknown now is refused."""
    recorded = packaged_thresholds().values | {"noise.warn": value}
    again = packaged_thresholds().replaced(recorded, origin="entry 3")
    assert again.values == recorded
    assert again.replaced(packaged_thresholds().values, origin="x").digest == (
        packaged_thresholds().digest
    )
    with pytest.raises(ConfigError, match="entry 3"):
        again.replaced({"no.such": 1.0}, origin="entry 3")


def test_the_file_of_the_package_is_beside_its_module():
    """The sets are one file that a reader can open."""
    import contimg_lab.thresholds

    assert Path(contimg_lab.thresholds.__file__).with_suffix(".toml").is_file()
