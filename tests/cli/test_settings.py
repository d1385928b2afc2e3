import pytest

from symgrad.errors import UsageError
from symgrad.settings import Settings, read


def test_settings_are_switches_read_from_the_environment() -> None:
    assert read({}) == Settings(verify=False, traceback=False)
    assert read({"SYMGRAD_VERIFY": "1", "SYMGRAD_TRACEBACK": "no"}) == Settings(verify=True, traceback=False)


def test_a_value_that_is_no_switch_is_refused() -> None:
    with pytest.raises(UsageError, match=r"SYMGRAD_VERIFY='maybe' is no switch"):
        read({"SYMGRAD_VERIFY": "maybe"})


@pytest.mark.parametrize("name", ["SYMGRAD_VERFY", "SYMGRAD_TRACEBACKS", "SYMGRAD_VERIFI"])
def test_a_misspelt_setting_names_the_nearest(name: str) -> None:
    with pytest.raises(UsageError, match=r"did you mean SYMGRAD_(VERIFY|TRACEBACK)"):
        read({name: "1"})


def test_names_of_other_tools_are_left_alone() -> None:
    assert read({"SYMGRAD_CANARY": "secret", "SYMGRAD": "cmd", "SYMGRADE": "x"}) == Settings()
