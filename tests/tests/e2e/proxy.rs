//! A network that lets nothing out but what goes through a proxy with a password.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use flotilla_protocol::device::RelayPreference;
use flotilla_protocol::path::PathKind;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{AgentSetup, ControlSetup, install_line, with_flags};
use flotilla_tests::lab::{Lab, Nat, on};
use flotilla_tests::mesh_fleet::MeshFleet;
use flotilla_tests::program::{Program, attempt};

/// A configuration as in many companies: it takes a name and a password, and allows tunnels to port 443 only.
const PROXY: &str = "Port 3128\nListen 192.168.1.1\nTimeout 600\nMaxClients 20\nBasicAuth ann s3cret\nConnectPort 443\nLogLevel Connect\n";
const ADDRESS: &str = "http://ann:s3cret@192.168.1.1:3128";

fn start_proxy(lab: &Lab, directory: &Path) -> Result<Program> {
    let file = directory.join("tinyproxy.conf");
    fs::write(&file, PROXY)?;
    let mut tinyproxy = lab.on_router(1, "tinyproxy");
    Program::start(tinyproxy.arg("-d").arg("-c").arg(file), directory, "tinyproxy")
}

fn proxy(address: &str) -> Vec<(String, String)> {
    vec![("https_proxy".to_owned(), address.to_owned())]
}

#[test]
fn a_device_whose_only_way_out_is_a_proxy_is_installed_enrolled_linked_and_meshed() -> Result<()> {
    on(Lab::on_internet(&[Nat::Closed, Nat::None])?, async |lab| {
        let [inside, outside] = [lab.machine(1), lab.machine(2)];
        let tinyproxy = start_proxy(lab, &lab.directory("proxy")?)?;
        let setup = ControlSetup::new(lab)?;
        let fleet = MeshFleet::start_in(lab, setup, RelayPreference::Auto, |machine| {
            if machine.number() == 1 {
                proxy(ADDRESS)
            } else {
                Vec::new()
            }
        })
        .await?;

        fleet.first_byte(inside, outside, seconds(5.0))?;
        fleet.first_byte(outside, inside, seconds(5.0))?;
        fleet
            .eventually_by(PathKind::Relayed, inside, outside, seconds(10.0))
            .await?;
        let log = fleet.member(inside).agent.log()?;
        ensure!(!log.contains("s3cret"), "the password is in the agent's log");
        let asked = [tinyproxy.output()?, tinyproxy.log()?].concat();
        ensure!(asked.contains("CONNECT 203.0.113.2:443"), "{asked}");

        // The install line works through the proxy, too, and not without it.
        let added = fleet.control.add("another").await?;
        let line = with_flags(install_line(&added)?, "--help");
        let shell = |text: String| attempt(inside.command("bash").args(["-c", &text]));
        shell(format!("export https_proxy={ADDRESS}; {line}"))?
            .ended_with(0, &["Installs the Flotilla agent"])?;
        let without = line.replace("--connect-timeout 20", "--connect-timeout 1");
        shell(without)?.ended_with(1, &["curl: (28)"])?;

        let stranger = AgentSetup {
            environment: proxy("http://ann:wr0ng@192.168.1.1:3128"),
            ..AgentSetup::new(inside, &added)?
        };
        let agent = stranger.start(inside)?;
        eventually("it says what the proxy wants", seconds(40.0), async || {
            let log = agent.log()?;
            ensure!(
                log.contains("192.168.1.1:3128 answered") && log.contains("wants a name and a password"),
                "{log}"
            );
            ensure!(!log.contains("wr0ng"), "the password is in the agent's log");
            Ok(())
        })
        .await
    })
}
