//! What the end-to-end tests, the demo, the soaks and the benches share. They run several computers inside one.
//!
//! Computers:
//! - [`lab`]: machines in network namespaces, each with an engine of its own; dropping the lab removes all of it.
//! - [`systemd`]: a booted Debian on a machine, where the install line is pasted. [`sshd`]: an SSH server on it.
//! - [`engine`]: sample images without a registry, and the docker command line of a machine. [`podman`]: a machine whose
//!   only engine is Podman. [`handmade_image`]: images with contents that no builder writes.
//!
//! Programs:
//! - [`artifacts`]: where the programs under test are. [`program`]: child processes. [`clock`]: the time.
//! - [`flotilla`]: control and agents as the real programs, started, stopped and killed.
//! - [`install_text`]: the texts of Add Device that run an agent in a container.
//! - [`followed_engine`]: an engine as an agent follows it, without the rest of an agent. [`pod_machine`]: the same with
//!   a pod on the engine. [`container_settings`], [`container_diff`]: every setting of a container, and what differs
//!   between two containers.
//! - [`dataplane`]: two ends of a WireGuard tunnel, ours or another program, and traffic between them.
//! - [`scripted_agent`], [`impostor`]: an agent and a control that do what the real ones never do. [`reporting_device`]:
//!   a linked device that reports what a test tells it to.
//! - [`swarm`]: a thousand agents in one process. [`slow_clients`]: connections that never finish what they begin.
//!   [`strangers`]: thousands of such connections at one control.
//! - [`live_reader`]: the live stream as a page reads it.
//! - [`browser`], [`desktop`]: the user interface in a browser and in the app's window, found by role and name.
//!
//! Fleets:
//! - [`fleet`]: one device with one container, online. [`mesh_fleet`]: devices on one mesh. [`modes`]: devices of one
//!   network mode. [`demo`]: a fleet to look at, which [`port_forward`] lets a browser outside reach.
//! - [`bench`], [`soak`]: figures and long runs, taken with all of these.
//! - [`eventually`]: waiting until something is true, with a deadline.

pub mod artifacts;
pub mod bench;
pub mod browser;
pub mod clock;
pub mod container_diff;
pub mod container_settings;
pub mod dataplane;
pub mod demo;
pub mod desktop;
pub mod engine;
pub mod eventually;
pub mod fleet;
pub mod flotilla;
pub mod followed_engine;
pub mod handmade_image;
pub mod impostor;
pub mod install_text;
pub mod lab;
pub mod live_reader;
pub mod mesh_fleet;
pub mod modes;
pub mod pod_machine;
pub mod podman;
pub mod port_forward;
pub mod program;
pub mod reporting_device;
pub mod scripted_agent;
pub mod slow_clients;
pub mod soak;
pub mod sshd;
pub mod strangers;
pub mod swarm;
pub mod systemd;
