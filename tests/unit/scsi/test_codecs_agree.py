"""The suite's SCSI codec and the reference router's, written apart on purpose, mean the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify import cdb, inquiry, scsi
from reference_router import scsi as target
from reference_router.device_server import DeviceServer
from reference_router.inquiry import Identity

KEYS = st.sampled_from(list(target.SenseKey))
CODES = st.integers(0, 255)
BLOCKS = 1 << 20
NAA = bytes.fromhex("6000000000e500000000000000000001")


def serve(command, *, blocks=BLOCKS):
    """Let the router's device server answer one of the suite's CDBs."""
    identity = Identity(
        vendor="VENDOR",
        product="Product",
        revision="1.2",
        serial="S-1",
        naa=NAA,
        engine_id=2,
        max_transfer_blocks=1024,
    )
    server = DeviceServer(identity, blocks=blocks, hosts=("host",), engines=(1, 2))
    server.members = (2,)
    return server.execute(command.ljust(16, b"\0"), "host", bytes)


@given(KEYS, CODES, CODES)
def test_sense_of_both_formats_is_read_as_it_was_meant(key, asc, ascq):
    sense = target.Sense(key, asc, ascq)

    for raw in (sense.fixed(), sense.descriptor()):
        decoded = scsi.decode_sense(raw)
        assert (decoded.key, decoded.asc, decoded.ascq) == (key, asc, ascq)
        assert not decoded.deferred


@given(st.integers(0, 15), st.integers(0, (1 << 32) - 1))
def test_field_pointer_and_information_are_read_as_they_were_meant(field, information):
    raw = target.INVALID_FIELD_IN_CDB.fixed(field=field, information=information)
    decoded = scsi.decode_sense(raw)

    assert (decoded.field_pointer, decoded.information) == (field, information)


@pytest.mark.parametrize("width", [6, 10, 12, 16])
@given(lba=st.integers(0, BLOCKS - 256), blocks=st.integers(1, 256), write=st.booleans())
def test_a_transfer_is_decoded_as_it_was_meant(width, lba, blocks, write):
    build = cdb.write if write else cdb.read

    answer = serve(build(lba, blocks, width=width))

    assert answer[:3] == (target.Op.WRITE if write else target.Op.READ, lba, blocks)
    assert answer.data_blocks == (blocks if write else 0)


@pytest.mark.parametrize("width", [10, 12, 16])
@given(lba=st.integers(0, (1 << 32) - 1), blocks=st.integers(1, 1024))
def test_the_bounds_are_drawn_at_the_same_block(width, lba, blocks):
    answer = serve(cdb.read(lba, blocks, width=width))
    if lba + blocks <= BLOCKS:
        assert answer == target.Transfer(target.Op.READ, lba, blocks)
    else:
        assert scsi.decode_sense(answer.sense).code == "5/21/00"


def test_names_mean_the_same_codes():
    for theirs, ours in (
        (target.Status, scsi.Status),
        (target.SenseKey, scsi.SenseKey),
        (target.OperationCode, cdb.Opcode),
    ):
        common = set(theirs.__members__) & set(ours.__members__)
        assert {name: theirs[name].value for name in common} == {
            name: ours[name].value for name in common
        }
        assert common


def test_identity_is_read_as_it_was_meant():
    standard = inquiry.decode_standard(serve(cdb.inquiry(96)).data)
    names = inquiry.decode_designators(serve(cdb.inquiry(255, page=0x83)).data)
    serial = inquiry.decode_serial(serve(cdb.inquiry(255, page=0x80)).data)

    assert (standard.vendor, standard.product, standard.revision, serial) == (
        "VENDOR",
        "Product",
        "1.2",
        "S-1",
    )
    assert inquiry.unit_wwids(names)[0] == f"3{NAA.hex()}"


@given(blocks=st.integers(1, 1 << 48))
def test_capacity_is_read_as_it_was_meant(blocks):
    ten = inquiry.decode_capacity_10(serve(cdb.read_capacity_10(), blocks=blocks).data)
    sixteen = inquiry.decode_capacity_16(serve(cdb.read_capacity_16(), blocks=blocks).data)

    assert (sixteen.last_lba, sixteen.block_bytes) == (blocks - 1, 512)
    assert ten.last_lba == min(blocks - 1, 0xFFFFFFFF)


def test_port_groups_are_read_as_they_were_meant():
    data = serve(cdb.report_target_port_groups()).data
    groups = inquiry.decode_target_port_groups(data)

    assert {one.group: one.asymmetric_access_state for one in groups} == {1: 3, 2: 0}
