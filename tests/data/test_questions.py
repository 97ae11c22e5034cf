"""Which pairs are asked about before anything is measured."""

from bench.data.questions import Contender, primary


def contender(name: str, reference: bool = False) -> Contender:
    """``tier-framework``; any other name is a plugin's."""
    tier, _, framework = name.partition("-")
    return Contender(name, tier, framework, reference) if framework else Contender(name, "plugin", name, reference)


def asked(*names: str) -> set[tuple[str, ...]]:
    """The pairs of these, the first of which is the reference, each in the order of the alphabet."""
    found = primary([contender(name, reference=not position) for position, name in enumerate(names)])
    return {tuple(sorted(pair)) for pair in found}


def test_frameworks_are_asked_about_within_each_tier() -> None:
    """Not across tiers, which differ in more than the framework."""
    names = [f"{tier}-{framework}" for tier in ("matched", "documented", "tuned") for framework in ("keras", "pytorch")]
    assert asked(*names) == {
        ("documented-keras", "documented-pytorch"), ("matched-keras", "matched-pytorch"), ("tuned-keras", "tuned-pytorch"),
    }  # fmt: skip


def test_two_programs_of_one_framework_are_no_question() -> None:
    """Keras on two of its backends: both beside PyTorch, and not beside each other."""
    keras, on_jax = Contender("matched-keras", "matched", "keras"), Contender("matched-keras-jax", "matched", "keras")
    pytorch = Contender("matched-pytorch", "matched", "pytorch", reference=True)
    expected = {frozenset((pytorch.name, keras.name)), frozenset((pytorch.name, on_jax.name))}
    assert primary([pytorch, keras, on_jax]) == expected


def test_a_plugin_is_asked_about_beside_the_reference_and_other_plugins() -> None:
    """And beside nothing else."""
    assert asked("matched-pytorch", "matched-keras", "documented-keras", "mine", "yours") == {
        ("matched-keras", "matched-pytorch"), ("matched-pytorch", "mine"), ("matched-pytorch", "yours"),
        ("mine", "yours"),
    }  # fmt: skip


def test_whoever_chooses_programs_by_name_asks_about_all_of_them() -> None:
    """Where none of them would be a question otherwise."""
    assert asked("documented-pytorch", "tuned-pytorch", "matched-pytorch") == {
        ("documented-pytorch", "matched-pytorch"), ("documented-pytorch", "tuned-pytorch"),
        ("matched-pytorch", "tuned-pytorch"),
    }  # fmt: skip
    assert asked("matched-pytorch", "tuned-keras") == {("matched-pytorch", "tuned-keras")}


def test_nothing_is_asked_of_one_alone() -> None:
    """It takes two."""
    assert asked("matched-pytorch") == asked() == set()
