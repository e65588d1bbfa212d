"""What studies leave in a run's folder, read back: whole, without what is not shown, and refused where no study wrote it."""

import json

import pytest

from newsclf.errors import InputError
from newsclf.training.studies import FILES, MAKERS, studies

DECAY = {
    "metric": "macro_f1",
    "period": "month",
    "horizons": [{"ahead": 1, "rows": 40, "estimate": 0.8, "low": 0.7, "high": 0.9}],
    "table": [],
    "sentences": ["It loses nothing."],
}


def test_a_run_without_studies_has_none(tmp_path):
    assert studies(tmp_path) == dict.fromkeys(("agreement", "inflation", "plan", "decay"))
    assert FILES.keys() == MAKERS.keys()


def test_what_a_study_found_comes_back_without_what_is_not_shown(tmp_path):
    (tmp_path / "decay.json").write_text(json.dumps(DECAY | {"more": 1}), "utf-8")
    found = studies(tmp_path)
    assert found["decay"] == {"metric": "macro_f1", "period": "month", "horizons": tuple(DECAY["horizons"]), "sentences": ("It loses nothing.",)}
    assert found["plan"] is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", r"decay\.json: cannot be read: .*Remove it, or make it anew"),
        ("[]", r"decay\.json: the file is not what a study of this newsclf writes"),
        (
            json.dumps(DECAY | {"horizons": [{"ahead": 1}]}),
            r"decay\.json: horizons\.0\.rows is not what a study of this newsclf writes: Field required",
        ),
    ],
)
def test_what_no_study_wrote_is_refused_with_its_place(tmp_path, content, said):
    (tmp_path / "decay.json").write_text(content, "utf-8")
    with pytest.raises(InputError, match=said):
        studies(tmp_path)
