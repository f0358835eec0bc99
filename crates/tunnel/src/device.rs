//! The TUN device: the interface through which the system reaches the mesh.
//!
//! Life cycle: [`Device::open`] creates the interface and finds out which offloads the kernel has; packets are read
//! and written without blocking; dropping the device removes the interface. It is not persistent, so the kernel also
//! removes it when the process is killed, and its name is free for the next start.
//!
//! With a `virtio_net_hdr` before each packet the kernel hands over runs of up to 64 KiB of one TCP connection or
//! UDP socket, unsegmented and without checksums, and takes them back in the same form.

#![expect(unsafe_code, reason = "two ioctls on /dev/net/tun have no safe wrapper")]

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::ioctl::{IntegerSetter, Updater, ioctl, opcode};

use crate::error::DeviceError;

const CLONE_DEVICE: &str = "/dev/net/tun";

/// Bytes of an interface's name, its closing zero included.
const NAME_SPACE: usize = 16;

/// From the kernel's `if_tun.h`: a device for IP packets, without the 4 bytes of packet information, with a
/// `virtio_net_hdr`, failing when the name exists.
const IFF_TUN: u16 = 0x0001;
const IFF_NO_PI: u16 = 0x1000;
const IFF_VNET_HDR: u16 = 0x4000;
const IFF_TUN_EXCL: u16 = 0x8000;

/// The offloads that this program can handle: packets without a checksum, and runs of segments.
const CHECKSUM: usize = 0x01;
const TCP_SEGMENTATION: usize = 0x02 | 0x04;
const UDP_SEGMENTATION: usize = 0x20 | 0x40;

/// `struct ifreq` as far as TUNSETIFF reads it, in its full size.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; NAME_SPACE],
    flags: u16,
    rest: [u8; 22],
}

/// `_IOW('T', 202, int)` and `_IOW('T', 208, unsigned int)`: their argument types are older than their meaning.
const TUNSETIFF: rustix::ioctl::Opcode = opcode::write::<i32>(b'T', 202);
const TUNSETOFFLOAD: rustix::ioctl::Opcode = opcode::write::<u32>(b'T', 208);

/// Which packets the kernel gives and takes as runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offload {
    /// No runs: each packet alone, with its checksum.
    None,
    Tcp,
    TcpAndUdp,
}

#[derive(Debug)]
pub(crate) struct Device {
    file: File,
    offload: Offload,
}

impl Device {
    /// Creates the interface. It is down and has no address.
    ///
    /// Each says what is in the way and what to do about it.
    pub(crate) fn open(name: &str) -> Result<Self, DeviceError> {
        let fits = (1..NAME_SPACE).contains(&name.len());
        if !fits
            || !name
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c))
        {
            return Err(DeviceError::BadName(name.to_owned()));
        }
        let flags = OFlags::NONBLOCK | OFlags::CLOEXEC;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        let mut options = File::options();
        let opened = options
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(CLONE_DEVICE);
        let file = opened.map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => DeviceError::NotPermitted,
            _ => DeviceError::NoTun,
        })?;
        attach(&file, name)?;
        let offload = probe_offload(&file);
        Ok(Self { file, offload })
    }

    pub(crate) fn offload(&self) -> Offload {
        self.offload
    }

    /// Reads one packet or run with its `virtio_net_hdr`.
    ///
    /// `WouldBlock` when no packet waits.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| {
            rustix::io::read(&self.file, &mut *buffer)
        })?)
    }

    /// Writes one packet or run whose pieces, `virtio_net_hdr` first, lie in several places.
    ///
    /// # Errors
    /// `EINVAL` when the kernel does not know this kind of run.
    pub(crate) fn write(&self, pieces: &[IoSlice<'_>]) -> io::Result<()> {
        rustix::io::retry_on_intr(|| rustix::io::writev(&self.file, pieces))?;
        Ok(())
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn attach(file: &File, name: &str) -> Result<(), DeviceError> {
    let mut request = InterfaceRequest {
        name: [0; NAME_SPACE],
        flags: IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL,
        rest: [0; 22],
    };
    request.name[..name.len()].copy_from_slice(name.as_bytes());
    // SAFETY: TUNSETIFF reads and writes one `struct ifreq`; the request has its layout and its size of 40 bytes,
    // and lives until the call is over.
    let made = unsafe {
        let update = Updater::<TUNSETIFF, InterfaceRequest>::new(&mut request);
        ioctl(file, update)
    };
    made.map_err(|errno| match errno {
        Errno::PERM | Errno::ACCESS => DeviceError::NotPermitted,
        // Another TUN device or another kind of interface has the name.
        Errno::BUSY | Errno::EXIST => DeviceError::NameTaken(name.to_owned()),
        Errno::INVAL if is_taken(name) => DeviceError::NameTaken(name.to_owned()),
        errno => DeviceError::Kernel(errno.into()),
    })
}

fn is_taken(name: &str) -> bool {
    std::path::Path::new("/sys/class/net").join(name).exists()
}

/// Enables as many offloads as the kernel has: UDP runs came with Linux 6.2, TCP runs long before any supported
/// kernel.
fn probe_offload(file: &File) -> Offload {
    let accepts = |flags: usize| {
        // SAFETY: TUNSETOFFLOAD takes its flags by value.
        unsafe { ioctl(file, IntegerSetter::<TUNSETOFFLOAD>::new_usize(flags)) }.is_ok()
    };
    if accepts(CHECKSUM | TCP_SEGMENTATION | UDP_SEGMENTATION) {
        Offload::TcpAndUdp
    } else if accepts(CHECKSUM | TCP_SEGMENTATION) {
        Offload::Tcp
    } else {
        Offload::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_size_of_an_ifreq() {
        assert_eq!(size_of::<InterfaceRequest>(), 40);
    }

    #[test]
    fn a_name_that_no_interface_can_have_is_refused_before_the_kernel_sees_it() {
        for name in ["", "a-name-of-16-byte", "with space", "dot.dot/slash"] {
            assert!(
                matches!(Device::open(name), Err(DeviceError::BadName(_))),
                "{name}"
            );
        }
    }
}
