from domain.decisions import Decision


def test_a_decision_is_complete_with_its_required_fields() -> None:
    made = Decision("d", 1, "recommend", "", "m@1", 1, ("a",), (0.5,), (1.0,))
    assert (made.fallback, made.variant, made.request) == ("", "", "")
    assert len(made.items) == len(made.scores) == len(made.propensities)
    assert made._fields[0] == "decision_id"
