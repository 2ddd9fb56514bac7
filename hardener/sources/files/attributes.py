"""What a file has beside its bytes: mode, owner, access lists and other extended attributes. The text that takes the
place of a file takes them over, or the file is refused.
"""

from __future__ import annotations

import errno
import os
import stat
import struct

_ACCESS, _DEFAULT = "system.posix_acl_access", "system.posix_acl_default"  # acl(5)
_OWNER, _GROUP, _MASK, _OTHER = 0x01, 0x04, 0x10, 0x20  # tags of an entry, as linux/posix_acl.h has them
_NONE = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)  # a file system without attributes


def check_names(status: os.stat_result) -> None:
    """Raise OSError for a file that has other names: they would go on showing the old text."""
    if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
        names = f"{status.st_nlink - 1} hard link{'s' if status.st_nlink > 2 else ''}"
        raise OSError(errno.EMLINK, f"{names} to this file would keep the old text; give it a copy of its own")


def take_over(handle: int, path: str, status: os.stat_result) -> None:
    """Give the open file ``handle`` the owner, the mode and the attributes of ``path``, whose status is ``status``.

    Raises OSError where an attribute cannot be kept.
    """
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        try:
            os.fchown(handle, status.st_uid, status.st_gid)
        except PermissionError:
            pass  # only root may give files away; the content and the mode are right
    os.fchmod(handle, stat.S_IMODE(status.st_mode))  # behind the owner, whose change takes bits from it
    wanted, found = _attributes(path), _attributes(handle)
    for name in found.keys() - wanted.keys():
        _kept(name, lambda name=name: os.removexattr(handle, name))
    for name, value in wanted.items():
        if found.get(name) != value:
            _kept(name, lambda name=name, value=value: os.setxattr(handle, name, value))


def inherit(handle: int, folder: str) -> None:
    """Give the open new file ``handle``, made elsewhere, what it would have got in ``folder``: the group of one that
    hands its group on, and the default access list."""
    status = os.stat(folder)
    if status.st_mode & stat.S_ISGID and status.st_gid != os.fstat(handle).st_gid:
        try:
            os.fchown(handle, -1, status.st_gid)
        except PermissionError:
            pass
    default = _attributes(folder).get(_DEFAULT)
    if default is not None:
        _kept(_ACCESS, lambda: os.setxattr(handle, _ACCESS, _of_a_file(default)))


def hand_nothing_on(folder: str) -> None:
    """Take from a new ``folder`` the access lists that it inherited, so that files in it begin without any."""
    for name in (_DEFAULT, _ACCESS):
        if name in _attributes(folder):
            _kept(name, lambda name=name: os.removexattr(folder, name))


def _attributes(of: str | int) -> dict[str, bytes]:
    """The extended attributes of a file; none where the platform or the file system has no such thing."""
    if not hasattr(os, "listxattr"):
        return {}
    try:
        return {name: os.getxattr(of, name) for name in os.listxattr(of)}
    except OSError as error:
        if error.errno in _NONE:
            return {}
        raise


def _kept(name: str, change: object) -> None:
    try:
        change()  # type: ignore[operator]
    except OSError as error:
        what = "its access list (ACL)" if name == _ACCESS else f"its attribute {name}"
        raise OSError(error.errno, f"{what} cannot be kept: {error.strerror}") from None


def _of_a_file(default: bytes) -> bytes:
    """The access list that a file gets by the ``default`` of its folder: without the right to execute, as a file that
    is made with mode 0666 (acl(5), object creation)."""
    entries = [list(struct.unpack_from("<HHI", default, at)) for at in range(4, len(default), 8)]
    has_mask = any(tag == _MASK for tag, _, _ in entries)
    for entry in entries:
        if entry[0] in (_OWNER, _OTHER, _MASK if has_mask else _GROUP):
            entry[1] &= 6
    return default[:4] + b"".join(struct.pack("<HHI", *entry) for entry in entries)
