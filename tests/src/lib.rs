//! What the end-to-end tests, the demo, the soak and the benches share: several computers made out of one.
//!
//! - [`lab`]: computers in network namespaces, each with an engine of its own; everything is gone afterwards.
//! - [`systemd`]: a booted Debian on one of them, where the install line is pasted.
//! - [`engine`]: images without a registry, and the docker command line of one computer. [`followed`]: an engine as an
//!   agent follows it. [`handmade`]: images that no builder would write.
//! - [`flotilla`]: control and agents as the real programs, started, stopped and killed.
//! - [`fleet`]: one device with one container, online. [`demo`]: a fleet to look at. [`soak`]: the long runs.
//! - [`meshed`]: devices on one mesh, with what goes over it. [`modes`]: devices of one network mode.
//! - [`pasted`]: the texts of Add Device, as people use them. [`podman`]: a machine with another engine.
//! - [`newcomer`], [`impostor`]: an agent and a control that do what the real ones never would.
//! - [`swarm`]: a thousand agents in one process. [`bench`]: figures taken with all of these.
//! - [`slow`]: clients that never finish what they begin. [`strangers`]: thousands of them.
//! - [`sshd`]: an SSH server on a booted system, and the owner whose keys it takes.
//! - [`watch`]: the live stream as a page reads it.
//! - [`browser`], [`desktop`]: the user interface as people meet it, found by role and name.
//! - [`dataplane`]: two ends of a WireGuard tunnel, ours or other people's, and traffic between them.
//! - [`settings`], [`likeness`]: every setting of a container, and whether two containers have the same ones.
//! - [`podded`]: a machine whose engine has a pod, without the rest of an agent.
//! - [`parts`]: where the programs under test are.
//! - [`eventually`]: waiting for something to become true, with a deadline.

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
pub mod scripted_agent;
pub mod slow_clients;
pub mod soak;
pub mod sshd;
pub mod strangers;
pub mod swarm;
pub mod systemd;
