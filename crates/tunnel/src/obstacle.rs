//! What keeps packets from passing between the system and the mesh's interface, in sentences that say what to do.

use flotilla_protocol::mesh::MeshTrouble;

use crate::RouteInTheWay;

/// Why packets do not pass, as found by [`crate::obstacle`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error(
        "The mesh's address is no longer on {interface}: another program took it away. Tell the program that manages \
         this device's networks to leave {interface} alone."
    )]
    Address { interface: String },
    /// `to` is empty for a route without an interface.
    #[error(
        "What this device sends to the mesh goes {} instead of {interface}: a rule of another program, often a VPN's, \
         comes before the mesh's route. Leave the mesh out of that program, or put its route first with `ip rule add \
         to {mesh} lookup main priority 10`.",
        if to.is_empty() { "nowhere".to_owned() } else { format!("to {to}") }
    )]
    WrongRoute {
        interface: String,
        mesh: String,
        to: String,
    },
    #[error(
        "This device sends {route}, a part of the mesh, elsewhere. Remove that route, or choose another range for the mesh."
    )]
    Part { route: RouteInTheWay },
    #[error(
        "The system drops what comes from the mesh since it would answer by another interface (rp_filter). Set `sysctl \
         -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.{interface}.rp_filter=2`, and leave the mesh out of what \
         changes this device's routes."
    )]
    ReversePath { interface: String },
    #[error(
        "The firewall of this device drops what it sends to the mesh. Let {interface} out: `ufw allow out on \
         {interface}`, or `iptables -I OUTPUT -o {interface} -j ACCEPT`."
    )]
    FirewallOut { interface: String },
    #[error(
        "The firewall of this device drops what comes from the mesh. {}",
        let_in(interface)
    )]
    FirewallIn { interface: String },
    #[error(
        "The firewall of this device drops what peers begin, except what it lets in by itself, so services here can't be \
         reached though a rule allows it. {}",
        let_in(interface)
    )]
    FirewallNew { interface: String },
}

fn let_in(interface: &str) -> String {
    format!(
        "The mesh has a filter of its own, so let {interface} in: `ufw allow in on {interface}`, `firewall-cmd \
         --permanent --zone=trusted --add-interface={interface} && firewall-cmd --reload`, or `iptables -I INPUT -i \
         {interface} -j ACCEPT`."
    )
}

impl Obstacle {
    /// The code that control is told.
    pub fn trouble(&self) -> MeshTrouble {
        match self {
            Self::Address { .. } | Self::WrongRoute { .. } | Self::Part { .. } => MeshTrouble::RouteTaken,
            Self::ReversePath { .. } => MeshTrouble::ReversePath,
            Self::FirewallOut { .. } | Self::FirewallIn { .. } | Self::FirewallNew { .. } => {
                MeshTrouble::Firewall
            }
        }
    }
}
