//! Public IPv6 beside IPv4 behind a router. Addresses are not translated, and only answers to packets from inside get
//! in.

use std::process::Command;

use anyhow::Result;

use super::network;
use super::run::Run;
use crate::program::run;

const FILTER: &str = r#"
table ip6 filter {
  chain forward { type filter hook forward priority filter; policy drop;
    ct state established,related accept; iifname "lan" accept; }
}
"#;

/// Gives each router and the machine of the same number behind it an IPv6 address, and the routes between them.
pub(super) fn route(lab: &Run, routers: u8) -> Result<()> {
    for number in 1..=routers {
        let [router, machine] = ["r", "h"].map(|kind| lab.namespace(&format!("{kind}{number}")));
        let mut sysctl = inside(&router, "sysctl");
        run(sysctl.args(["-qw", "net.ipv6.conf.all.forwarding=1"]))?;
        run(inside(&router, "nft").arg(FILTER))?;
        address(&router, "eth0", &wan(number))?;
        address(&router, "lan", &format!("{}1", lan(number)))?;
        address(&machine, "eth0", &format!("{}2", lan(number)))?;
        via(&machine, "default", &format!("{}1", lan(number)))?;
        for other in (1..=routers).filter(|other| *other != number) {
            via(&router, &format!("{}/64", lan(other)), &wan(other))?;
        }
    }
    Ok(())
}

fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{namespace}")).arg(program);
    command
}

fn wan(router: u8) -> String {
    format!("2001:db8::{router}")
}

fn lan(router: u8) -> String {
    format!("2001:db8:{router}::")
}

fn address(namespace: &str, interface: &str, address: &str) -> Result<()> {
    let range = format!("{address}/64");
    network::ip(&["-n", namespace, "addr", "add", &range, "dev", interface, "nodad"])
}

fn via(namespace: &str, target: &str, gateway: &str) -> Result<()> {
    network::ip(&["-6", "-n", namespace, "route", "add", target, "via", gateway])
}
