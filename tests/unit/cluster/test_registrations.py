"""What an array's kernel wrote down of its reservations is given back to it."""

from certify.virtual_lab.guest.cluster.array import registrations_of

TEXT = """\
PR_REG_START: 0
initiator_fabric=iSCSI
initiator_node=iqn.2026-11.org.zerostall:engine1
initiator_sid=00023d000001
sa_res_key=6503221234567890
res_holder=1
res_type=07
res_scope=00
res_all_tg_pt=0
mapped_lun=0
target_fabric=iSCSI
target_node=iqn.2026-11.org.zerostall:array-a
tpgt=1
port_rtpi=1
target_lun=0
PR_REG_END: 0
PR_REG_START: 1
initiator_fabric=iSCSI
initiator_node=iqn.2026-11.org.zerostall:engine2
sa_res_key=1
PR_REG_END: 1
"""


def test_each_is_one_line_of_options():
    first, second = registrations_of(TEXT)

    assert first.startswith("initiator_fabric=iSCSI,initiator_node=iqn.2026-11.org.zerostall:engin")
    assert first.endswith("port_rtpi=1,target_lun=0")
    assert second.count(",") == 2


def test_padding_and_an_empty_file_are_none():
    assert registrations_of("") == registrations_of("No Registrations or Reservations\0\0") == []


def test_one_that_was_cut_off_is_left_out():
    assert len(registrations_of(TEXT.partition("PR_REG_END: 1")[0])) == 1
