//! Paths with a smaller MTU than Ethernet: the data plane fills them with packets of that size and makes no fragments,
//! whether or not routers report packets that are too big.

use std::net::IpAddr;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::device::RelayPreference;
use flotilla_protocol::path::PathKind;
use flotilla_tests::bench::narrow::{LINES, Line};
use flotilla_tests::dataplane::{Ends, Implementation, Transfer, Underlay};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{Control, ControlSetup};
use flotilla_tests::lab::{IcmpErrors, Lab, Machine, Nat, on, transfer};
use flotilla_tests::mesh_fleet::MeshFleet;
use flotilla_tests::program::{attempt, run};
use flotilla_tests::swarm::Swarm;
use tokio::runtime::Builder;

/// Gbit/s of one stream once both ends know what the path carries.
fn speed(lab: &Lab, (line, underlay, routers, carries): Line, number: u8) -> Result<f64> {
    lab.set_line(line, routers)?;
    let ends = Ends::at_line(lab, underlay, number)?;
    for end in [&ends.near, &ends.far] {
        end.eventually_carries(carries)
            .with_context(|| format!("{line} {routers:?} {underlay:?}"))?;
    }
    let arrived = Transfer::tcp(2, 1).run(&ends)?;
    Ok(arrived.gbit_per_second)
}

#[test]
fn a_line_of_any_width_is_filled_without_a_fragment_whether_or_not_routers_tell() -> Result<()> {
    let lab = Lab::over_a_line()?;
    let [wide, narrow @ ..] = LINES;
    let before = speed(&lab, wide, 0)?;
    let mut all = Vec::new();
    for (number, line) in (1..).zip(narrow) {
        let reached = speed(&lab, line, number)?;
        println!("{line:?}: {reached:.2} Gbit/s, {before:.2} over {wide:?}");
        all.push((line, reached));
    }
    let after = speed(&lab, wide, 20)?;
    ensure!(lab.fragments()? == 0, "{} fragments", lab.fragments()?);
    // With fragments the speed would be an eighth. The limit leaves room for other load of this computer.
    let least = before.min(after) / 4.0;
    let slow: Vec<_> = all.iter().filter(|(_, reached)| *reached < least).collect();
    ensure!(
        slow.is_empty(),
        "a wide line carries {before} and {after}, these {slow:?}"
    );
    Ok(())
}

#[test]
fn an_interface_narrower_than_ethernet_is_filled_without_a_fragment() -> Result<()> {
    let lab = Lab::without_engines(2)?;
    let machines = [lab.machine(1), lab.machine(2)];
    let set = |machine: &Machine, mtu: &str| {
        run(machine.command("ip").args(["link", "set", "eth0", "mtu", mtu])).map(drop)
    };
    set(machines[0], "1460")?;
    let ends = Ends::start(machines, [Implementation::Ours; 2], Underlay::V4, 0)?;
    ends.near.eventually_carries(1400)?;
    ends.far.eventually_carries(1400)?;
    let arrived = Transfer::megabytes(25, 1).run(&ends)?;
    ensure!(arrived.gbit > 0.1, "{arrived:?}");
    // A smaller MTU of the own interface: the system reports packets that are too big at once.
    set(machines[0], "1300")?;
    let arrived = Transfer::megabytes(25, 1).run(&ends)?;
    ensure!(arrived.gbit > 0.1, "{arrived:?}");
    ends.near.eventually_carries(1240)?;
    for machine in machines {
        makes_no_fragments(machine.command("nstat"))?;
    }
    Ok(())
}

/// The system on which this `nstat` runs has cut no packet into fragments.
fn makes_no_fragments(mut nstat: Command) -> Result<()> {
    let counters = run(nstat.args(["-a", "-s", "-z", "IpFragCreates"]))?;
    let count = counters.lines().find(|line| line.contains("IpFragCreates"));
    let count = count.and_then(|line| line.split_whitespace().nth(1));
    ensure!(count == Some("0"), "{counters}");
    Ok(())
}

#[test]
fn a_relay_on_a_narrow_network_passes_on_what_fits_and_makes_no_fragments() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::None])?, async |lab| {
        let [a, b] = [lab.machine(1), lab.machine(2)];
        let narrow = ["link", "set", "eth0", "mtu", "1300"];
        for mut ip in [Command::new("ip"), a.command("ip"), b.command("ip")] {
            run(ip.args(narrow))?;
        }
        let control = ControlSetup::new(lab)?;
        let meshed = MeshFleet::start_with(lab, control, RelayPreference::Always).await?;
        let (mut stream, _) = meshed.first_byte(a, b, seconds(5.0))?;
        // At once, while both ends still probe for the largest size.
        transfer(&mut stream, 1 << 20).with_context(|| format!("{:?}", meshed.path(a, b)))?;
        for (from, to) in [(a, b), (b, a)] {
            eventually("the relayed path's size is known", seconds(15.0), async || {
                let path = meshed.path(from, to)?;
                ensure!(
                    path.why.kind() == PathKind::Relayed && path.mtu == 1192,
                    "{path:?}"
                );
                Ok(())
            })
            .await?;
        }
        makes_no_fragments(Command::new("nstat"))?;
        makes_no_fragments(a.command("nstat"))?;
        makes_no_fragments(b.command("nstat"))
    })
}

#[test]
fn a_path_of_1124_bytes_whose_routers_keep_silent_carries_10_mb_both_ways_and_says_what_fits() -> Result<()> {
    let lab = Lab::over_a_line()?;
    lab.set_line(1124, IcmpErrors::Dropped)?;
    let ends = Ends::at_line(&lab, Underlay::V4, 0)?;
    // At once, while both ends still probe for the largest size.
    let transfer = Transfer::megabytes(20, 1);
    for transfer in [transfer, transfer.reversed()] {
        let arrived = transfer.run(&ends)?;
        ensure!(arrived.gbit > 0.08, "10 MB do not pass: {transfer:?} {arrived:?}");
    }
    for end in [&ends.near, &ends.far] {
        end.eventually_carries(1064)?;
    }
    // So that the kernel forgets the sizes that it was told while both ends were probing.
    run(ends.near.machine.command("ip").args(["route", "flush", "cache"]))?;
    let too_large = attempt(ends.near.machine.command("ping").args([
        "-M",
        "do",
        "-s",
        "1392",
        "-c",
        "1",
        "-W",
        "2",
        &ends.far.address().to_string(),
    ]))?;
    let told = format!("{too_large:?}");
    ensure!(told.contains("mtu = 1064") || told.contains("mtu=1064"), "{told}");
    ensure!(lab.fragments()? == 0, "{} fragments", lab.fragments()?);
    Ok(())
}

/// Containers whose list is many packets long.
const LONG: usize = 300;

#[test]
fn a_long_list_of_a_device_behind_1124_bytes_arrives() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let machine = lab.machine(1);
        lab.narrow(machine, 1124)?;
        let control = Control::start(lab)?;
        let swarm = Swarm::enroll(&control.client()?, 1).await?;
        // What runs here is on the machine.
        let there = machine.inside(|| {
            Ok(Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?)
        })?;
        let links = {
            let _there = there.enter();
            swarm.link_with(LONG)
        };
        let begun = Instant::now();
        let listed = eventually("all of them are listed", seconds(10.0), async || {
            let rows = control.containers("d0001").await?.len();
            ensure!(rows == LONG, "{rows} rows");
            let remote = control.device("d0001").await?.link.remote;
            ensure!(remote == Some(machine.address().to_string()), "{remote:?}");
            Ok(())
        })
        .await;
        println!("listed after {:.1?}", begun.elapsed());
        drop(links);
        there.shutdown_background();
        listed?;
        makes_no_fragments(Command::new("nstat"))
    })
}

/// Rules that let in answers only, and drop what is sent to the first address of the other machine.
const ONLY_THE_SECOND: &str = "
table inet t {
  chain o { type filter hook output priority 0; ip daddr 10.77.0.11 udp dport != 53 drop; }
  chain i { type filter hook input priority 0; policy drop;
    ct state established,related accept; iifname lo accept; iifname flotilla0 accept; }
}
";

#[test]
fn a_device_that_is_asked_by_its_second_address_answers_from_it() -> Result<()> {
    let lab = Lab::without_engines(2)?;
    let [asked, asking] = [lab.machine(1), lab.machine(2)];
    let second: IpAddr = "10.77.0.111".parse()?;
    run(asked
        .command("ip")
        .args(["addr", "add", "10.77.0.111/24", "dev", "eth0"]))?;
    run(asking.command("nft").arg(ONLY_THE_SECOND))?;
    let hosts = [second, asking.address().into()];
    let ends = Ends::start_at([asked, asking], [Implementation::Ours; 2], hosts, 0)?;
    let arrived = Transfer::megabytes(25, 1).run(&ends)?;
    ensure!(arrived.gbit > 0.1, "{arrived:?}");
    let told = ends.far.program.output()?;
    ensure!(told.contains("remote: Some(10.77.0.111:"), "{told}");
    Ok(())
}
