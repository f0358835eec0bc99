//! Name servers that answer badly, and a control whose own computer's firewall lets no device in.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::thread;

use anyhow::{Result, ensure};
use flotilla_protocol::api::TestAddresses;
use flotilla_tests::eventually::seconds;
use flotilla_tests::flotilla::{AgentSetup, Control, ControlSetup};
use flotilla_tests::lab::{CONTROL, Lab, on};
use flotilla_tests::program::{Program, run};

/// How a name server answers a question for an IPv6 address (AAAA).
#[derive(Debug, Clone, Copy)]
enum Aaaa {
    /// Correctly: the name exists and has no IPv6 address.
    Empty,
    NoSuchName,
    Failure,
    Silence,
    /// The same to questions for an IPv4 address: the name is not in DNS.
    NoSuchNameAtAll,
}

/// Answers questions about names at this address of the control computer until the test's process ends.
fn serve_names(how: Aaaa, at: Ipv4Addr) -> Result<()> {
    let socket = UdpSocket::bind((at, 53))?;
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut question) {
            if let Some(answer) = answer(&question[..length], how) {
                let _ = socket.send_to(&answer, peer);
            }
        }
    });
    Ok(())
}

/// The answer to a question (RFC 1035 §4.1): a header of 12 bytes, then the name in labels, its type and its class.
fn answer(message: &[u8], how: Aaaa) -> Option<Vec<u8>> {
    let name = message.get(12..)?.iter().position(|byte| *byte == 0)?;
    let question = message.get(12..12 + name + 5)?;
    let is_v4 = question.get(name + 2) == Some(&1);
    let code = match how {
        Aaaa::NoSuchNameAtAll => 3,
        _ if is_v4 => 0,
        Aaaa::Empty => 0,
        Aaaa::NoSuchName => 3,
        Aaaa::Failure => 2,
        Aaaa::Silence => return None,
    };
    let found = is_v4 && code == 0;
    let mut answer = [
        &message[..2],
        &[0x81, 0x80 | code, 0, 1, 0, u8::from(found), 0, 0, 0, 0],
        question,
    ]
    .concat();
    if found {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(CONTROL.octets());
    }
    Some(answer)
}

/// A name server before the one that answers, at an unused address of the network.
const DEAD: &str = "nameserver 10.77.0.99\n";

/// Runs a program with another `resolv.conf` and a folder that is first on `PATH`. The folder is the first argument.
const ELSEWHERE: &str = r#"mount --bind "$0/resolv.conf" /etc/resolv.conf; PATH=$0:$PATH; exec "$@""#;

#[test]
fn a_name_is_found_however_badly_a_name_server_answers_about_ipv6_and_where_only_the_system_knows_it()
-> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let control = ControlSetup {
            advertise: vec!["ctl.test:7443".to_owned()],
            ..ControlSetup::new(lab)?
        };
        let control = control.start()?;
        let machine = lab.machine(1);
        let ways = [
            (Aaaa::Empty, ""),
            (Aaaa::NoSuchName, ""),
            (Aaaa::Failure, ""),
            (Aaaa::Silence, ""),
            (Aaaa::NoSuchNameAtAll, ""),
            (Aaaa::Empty, DEAD),
        ];
        for (number, (how, before)) in (1..).zip(ways) {
            // Each server has an address of its own, since the earlier ones keep running.
            let server = Ipv4Addr::new(10, 77, 0, 100 + number);
            let namespace = lab.control_namespace();
            run(Command::new("ip").args([
                "-n",
                &namespace,
                "addr",
                "add",
                &format!("{server}/24"),
                "dev",
                "eth0",
            ]))?;
            serve_names(how, server)?;
            let elsewhere = lab.directory(&format!("names-{number}"))?;
            fs::write(
                elsewhere.join("resolv.conf"),
                format!("{before}nameserver {server}\n"),
            )?;
            let getent = elsewhere.join("getent");
            let knows = matches!(how, Aaaa::NoSuchNameAtAll);
            let body = if knows {
                format!("echo '{CONTROL} STREAM ctl.test'")
            } else {
                "exit 2".to_owned()
            };
            fs::write(&getent, format!("#!/bin/sh\n{body}\n"))?;
            fs::set_permissions(&getent, fs::Permissions::from_mode(0o755))?;

            let name = format!("device-{number}");
            let added = control.add(&name).await?;
            let setup = AgentSetup::new(machine, &added)?;
            let elsewhere = elsewhere.display().to_string();
            let mut command = setup.command_as(machine, &["sh", "-c", ELSEWHERE, &elsewhere])?;
            let _agent = Program::start(&mut command, machine.directory(), &name)?;
            control.eventually_online(&name, seconds(10.0)).await?;
        }
        Ok(())
    })
}

/// A firewall like those of ufw and firewalld: it lets in answers, the loopback and SSH.
const FIREWALL: &str = r#"table inet shut { chain input { type filter hook input priority 0; policy drop;
  ct state established,related accept; iifname "lo" accept; tcp dport 22 accept; }; }"#;

#[test]
fn a_control_that_its_own_computer_shuts_off_says_so_before_a_line_is_handed_out() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let control = Control::start(lab)?;
        let tested = control.send(&TestAddresses).await?;
        ensure!(
            tested.iter().all(|one| one.reachable && one.doubt.is_none()),
            "{tested:?}"
        );
        run(Command::new("nft").arg(FIREWALL))?;
        let tested = control.send(&TestAddresses).await?;
        let reason = tested[0].reason.clone().unwrap_or_default();
        ensure!(
            !tested[0].reachable && reason.contains("no device in at TCP port 7443"),
            "{tested:?}"
        );
        Ok(())
    })
}
