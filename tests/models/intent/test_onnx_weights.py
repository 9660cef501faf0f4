"""The weights in an ONNX file: those that the reference reader finds, and no trust in bytes."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from models.intent.onnx_weights import read_graph
from training.fit.intent.net import Learner, Shape


@pytest.fixture(scope="module", params=["lstm", "gru", "transformer"])
def exported(request: pytest.FixtureRequest) -> bytes:
    return Learner(Shape(request.param, 30, 4, 3, width=8, heads=2)).to_onnx(6)


def test_arrays_and_nodes_are_those_of_the_reference_reader(exported: bytes) -> None:
    graph, reference = read_graph(exported), onnx.load_from_string(exported).graph
    wanted = {one.name: numpy_helper.to_array(one) for one in reference.initializer}
    wanted = {name: one for name, one in wanted.items() if one.dtype == np.float32}
    assert set(graph.arrays) == set(wanted)
    for name, array in wanted.items():
        np.testing.assert_array_equal(graph.arrays[name], array)
    assert len(graph.nodes) == len(reference.node)
    for node in reference.node:
        found = graph.nodes[node.output[0]]
        assert (found.kind, found.inputs) == (node.op_type, tuple(node.input))
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.INT:
                assert found.numbers[attribute.name] == attribute.i


def test_arrays_that_are_not_kept_raw_or_no_float32_are_left_out() -> None:
    kept = numpy_helper.from_array(np.ones((2, 3), np.float32), "kept")
    whole = numpy_helper.from_array(np.ones(2, np.int64), "whole")
    listed = onnx.helper.make_tensor("listed", onnx.TensorProto.FLOAT, [2], [1.0, 2.0])
    graph = onnx.helper.make_graph([], "g", [], [], [kept, whole, listed])
    found = read_graph(onnx.helper.make_model(graph).SerializeToString())
    assert list(found.arrays) == ["kept"]
    assert found.arrays["kept"].shape == (2, 3)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_graph(data)
    except ValueError:
        return


@pytest.mark.parametrize("keep", [10, 100, 1_000, 3_000])
def test_a_file_cut_short_is_refused(exported: bytes, keep: int) -> None:
    with pytest.raises(ValueError, match="end"):
        read_graph(exported[:keep])
