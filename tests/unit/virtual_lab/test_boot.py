"""Booting, as far as it needs no guest: command lines, causes, module order, the state folder."""

import pytest

from certify.virtual_lab import boot, causes, kernels, linux_image, state, uml
from certify.virtual_lab.qemu import Kvm, Tcg
from certify.virtual_lab.uml import Uml


@pytest.fixture
def a_boot(tmp_path):
    """A boot whose share has the signs that option parsers split at."""
    return boot.Boot(folder=tmp_path, share=tmp_path / "runs, of today", agent_fd=7, console_fd=8)


@pytest.fixture
def programs(monkeypatch):
    """Every program is installed."""
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")


def test_uml_talks_over_inherited_descriptors_only(a_boot, programs):
    """UML must not touch the terminal of the CLI."""
    argv = Uml().command(a_boot)

    assert "ssl0=fd:7,fd:7" in argv
    assert "con0=null,fd:8" in argv
    assert "con=null" in argv


def test_uml_mounts_the_host_read_only(a_boot, programs):
    """The guest's root is the host's: it must not be able to write to it."""
    assert "ro" in Uml().command(a_boot)


@pytest.mark.parametrize("kernel", [Kvm(), Tcg()])
def test_qemu_gets_the_share_with_its_commas_doubled(kernel, a_boot, programs):
    """QEMU splits options at single commas."""
    argv = kernel.command(a_boot)

    assert any("runs,, of today," in word for word in argv)


@pytest.mark.parametrize("kernel", [Kvm(), Tcg()])
def test_qemu_exports_the_host_read_only(kernel, a_boot, programs):
    """As for UML: nothing of the host may change."""
    root = next(word for word in kernel.command(a_boot) if "id=root," in word)

    assert "readonly=on" in root


def test_a_missing_program_is_named_with_its_package(monkeypatch):
    """The user is told what to install."""
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)

    with pytest.raises(boot.BootError, match="user-mode-linux"):
        Uml().prepare(lambda text: None)


def test_an_unknown_kernel_is_refused_with_the_names_that_exist():
    """`--kernel xen` says what it could have been."""
    with pytest.raises(boot.BootError, match="'xen'; expected one of kvm, uml, tcg"):
        kernels.by_name("xen")


def test_too_little_memory_is_said_before_the_boot(monkeypatch, tmp_path):
    """A guest that would be killed later is not started."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 900000 kB\nMemAvailable: 102400 kB\n")
    monkeypatch.setattr(boot, "MEMINFO", meminfo)

    with pytest.raises(boot.BootError, match=r"no memory: .* 100 MiB are available"):
        boot.require_memory()


@pytest.mark.parametrize(
    ("console", "cause"),
    [
        ("x\nuserspace - ptrace set fp regs failed, errno = 14\nKernel panic - y", "AMX"),
        ("modprobe: FATAL: Module brd not found in directory /lib/modules/6", "module missing"),
        ("Kernel panic - not syncing: no init", "panicked"),
        ("Could not access KVM kernel module: Permission denied", "KVM"),
        ("all is well", ""),
    ],
)
def test_the_first_known_sign_names_the_cause(console, cause):
    """A panic that follows from something known is not the cause."""
    assert cause in causes.likely_cause(console)
    assert bool(cause) == bool(causes.likely_cause(console))


def test_last_lines_leave_stack_traces_out():
    """A reader needs the sentence before the trace."""
    console = "useful\n [<600523>] ? die+0x1/0x2\n 60690000 6908bb90\nCall Trace:\nlast\n"

    assert causes.last_lines(console).split() == ["useful", "last"]


def test_modules_load_after_what_they_depend_on(tmp_path):
    """The initramfs loads them in this order, one by one."""
    (tmp_path / "modules.dep").write_text(
        "kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko\n"
        "kernel/net/9p/9pnet.ko:\n"
        "kernel/fs/netfs/netfs.ko:\n"
        "kernel/net/9p/9pnet_virtio.ko: kernel/net/9p/9pnet.ko kernel/drivers/virtio/virtio.ko\n"
        "kernel/drivers/virtio/virtio.ko:\n"
        "kernel/fs/overlayfs/overlay.ko:\n"
    )

    order = [path.name for path in linux_image.load_order(tmp_path)]

    assert sorted(order) == sorted(set(order))
    assert order.index("9pnet.ko") < order.index("9pnet_virtio.ko")
    assert order.index("netfs.ko") < order.index("9p.ko")
    assert order[-1] == "overlay.ko"


def test_a_vmlinuz_without_a_kernel_is_refused():
    """Nothing half-made is kept in the cache."""
    with pytest.raises(boot.BootError, match="no xz-packed ELF kernel"):
        linux_image.decompress(b"MZ" + bytes(1000))


def test_the_shim_goes_where_the_loader_can_name_it(monkeypatch, tmp_path):
    """ld.so splits LD_PRELOAD at spaces and colons."""
    monkeypatch.setenv("ZEROSTALL_CACHE", str(tmp_path / "a folder:with signs"))

    assert not {" ", ":"} & set(str(uml.shim_path()))


def test_a_held_folder_is_alive_and_is_removed_afterwards(tmp_path):
    """The lock is the only sign of life, so it must go with its holder."""
    folder = tmp_path / "lab"
    folder.mkdir()

    with state.hold(folder):
        alive_meanwhile = state.alive(folder)

    assert alive_meanwhile
    assert not folder.exists()
