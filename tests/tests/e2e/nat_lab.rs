//! The lab's routers treat packets as routers of their kind do.

use std::net::{SocketAddr, UdpSocket};

use anyhow::{Context, Result, ensure};
use flotilla_tests::eventually::seconds;
use flotilla_tests::lab::{Lab, Nat, on, ping};

/// How a router behaves, seen from outside.
#[derive(Debug, PartialEq)]
struct Seen {
    udp_passes: bool,
    one_mapping: bool,
    strangers_pass: bool,
}

fn look(nat: Nat) -> Result<Seen> {
    let mut seen = None;
    on(Lab::on_internet(&[nat, Nat::None])?, async |lab| {
        let control = *lab.control().ip();
        let [first, second] = [(control, 4001), (control, 4002)].map(UdpSocket::bind);
        let [first, second] = [first?, second?];
        let stranger = lab.machine(2).udp(4003, seconds(0.5))?;
        let inner = lab.machine(1).udp(4000, seconds(0.5))?;
        for outer in [&first, &second] {
            outer.set_read_timeout(Some(seconds(0.5)))?;
            inner.send_to(b"hello", outer.local_addr()?)?;
        }
        let mapping =
            |outer: &UdpSocket| -> Option<SocketAddr> { Some(outer.recv_from(&mut [0; 16]).ok()?.1) };
        let mappings = [mapping(&first), mapping(&second)];
        let strangers_pass = match mappings[0] {
            Some(mapping) => {
                first.send_to(b"answer", mapping)?;
                inner.recv(&mut [0; 16]).context("the answer is lost")?;
                stranger.send_to(b"unasked", mapping)?;
                inner.recv(&mut [0; 16]).is_ok()
            }
            None => false,
        };
        seen = Some(Seen {
            udp_passes: mappings[0].is_some(),
            one_mapping: mappings[0] == mappings[1],
            strangers_pass,
        });
        Ok(())
    })?;
    seen.context("nothing was seen")
}

fn is_seen(nat: Nat, udp_passes: bool, one_mapping: bool, strangers_pass: bool) -> Result<()> {
    let seen = look(nat)?;
    let expected = Seen {
        udp_passes,
        one_mapping,
        strangers_pass,
    };
    ensure!(seen == expected, "{nat} is {seen:?}");
    Ok(())
}

#[test]
fn a_public_machine_is_reached_from_every_address() -> Result<()> {
    is_seen(Nat::None, true, true, true)
}

#[test]
fn a_full_cone_maps_once_and_lets_strangers_in() -> Result<()> {
    is_seen(Nat::Cone, true, true, true)
}

#[test]
fn a_port_restricted_router_maps_once_and_keeps_strangers_out() -> Result<()> {
    is_seen(Nat::PortRestricted, true, true, false)
}

#[test]
fn a_symmetric_router_maps_each_destination_anew() -> Result<()> {
    is_seen(Nat::Symmetric, true, false, false)
}

#[test]
fn where_udp_is_blocked_only_the_port_of_the_web_gets_out() -> Result<()> {
    is_seen(Nat::UdpBlocked, false, true, false)?;
    on(Lab::on_internet(&[Nat::UdpBlocked, Nat::None])?, async |lab| {
        let public = lab.machine(2);
        for port in [443, 80] {
            public.echo(port)?;
        }
        // A first packet that was lost is sent again after a second (RFC 6298 §2).
        let mut web = lab.machine(1).connect((public.address(), 443), seconds(3.0))?;
        ping(&mut web)?;
        ensure!(
            lab.machine(1)
                .connect((public.address(), 80), seconds(0.5))
                .is_err()
        );
        Ok(())
    })
}

#[test]
fn a_machine_that_roams_has_another_address_and_its_sockets_live_on() -> Result<()> {
    on(Lab::on_internet(&[Nat::Cone, Nat::None])?, async |lab| {
        let target = lab.machine(2).udp(4000, seconds(1.0))?;
        let to = SocketAddr::from((lab.machine(2).address(), 4000));
        let traveler = lab.machine(1).udp(4001, seconds(1.0))?;
        let mut seen = Vec::new();
        for nat in [Nat::PortRestricted, Nat::None] {
            traveler.send_to(b"hello", to)?;
            seen.push(target.recv_from(&mut [0; 16])?.1.ip());
            lab.roam(1, nat)?;
        }
        traveler.send_to(b"hello", to)?;
        seen.push(target.recv_from(&mut [0; 16])?.1.ip());
        ensure!(seen[0] != seen[1] && seen[1] != seen[2], "{seen:?}");
        ensure!(seen[2] == lab.machine(1).address());
        Ok(())
    })
}
