//! Puts containers into the pod of this device, and takes them out of it.

use crate::{
    action::{ActionError, lookup},
    connection::Connection,
    follow::Engine,
    own::OwnContainer,
    pod::Pod,
    ports::{Clash, ListeningPorts, Occupant, PortNumber},
    read::ObservedContainer,
    recreate::{Network, Pace, Swap},
};
use flotilla_protocol::{Timestamp, inventory::ContainerState};
use std::collections::BTreeSet;

impl Engine {
    /// Plans to recreate a container as a member of the device's pod, or, with `member` unset, where it was before.
    /// `None` when it already is as asked. Nothing is changed; [`Self::begin`] carries the plan out.
    ///
    /// # Errors
    /// Why it can't be done; see [`ActionError`].
    pub async fn plan_placement(
        &self,
        id: &str,
        member: bool,
        now: Timestamp,
    ) -> Result<Option<Swap>, ActionError> {
        let connection = self.ready().await?;
        let seen = lookup(&connection, id).await?;
        self.may_stop(&seen)?;
        let view = self.view();
        let pod = view.as_ref().and_then(|view| view.pod.clone());
        let pod = pod.ok_or(ActionError::NoPod)?;
        let is_member = pod.role(&seen.container.id).is_some();
        if is_member == member {
            return Ok(None);
        }
        let network = if member {
            let pause = pod.pause.as_ref().ok_or(ActionError::NoPod)?;
            if !pause.running {
                return Err(ActionError::PauseStopped(pause.name.clone()));
            }
            if seen.container.state == ContainerState::Running {
                check_ports(&connection, &seen, &pod, self.own()).await?;
            }
            Network::Of(pause.id.clone())
        } else {
            Network::Before
        };
        let docker = connection.patient();
        Swap::prepare(&docker, &seen.container.id, network, Pace::PATIENT, now)
            .await
            .map(Some)
    }
}

/// Refuses a newcomer to the pod that needs a port which another member, or the agent, has.
///
/// # Errors
/// [`ActionError::Clash`].
pub(crate) async fn check_ports(
    connection: &Connection,
    newcomer: &ObservedContainer,
    pod: &Pod,
    own: &OwnContainer,
) -> Result<(), ActionError> {
    let declared = async |ports: &BTreeSet<PortNumber>, image: &str| -> BTreeSet<PortNumber> {
        &connection.ports_of_image(image).await | ports
    };
    let container = &newcomer.container;
    let wanted = declared(&newcomer.declared, &container.image_id).await;
    let mut running = Vec::new();
    for member in pod.members.iter().filter(|member| member.id != container.id) {
        // Read again, because the view is only as recent as the last event: the member may have been stopped since.
        if let Ok(seen) = lookup(connection, &member.id).await
            && seen.container.state == ContainerState::Running
        {
            running.push(Occupant {
                ports: declared(&seen.declared, &seen.container.image_id).await,
                name: seen.container.name,
            });
        }
    }
    // The ports on which a running member listens may be its own.
    let is_up = container.state == ContainerState::Running && pod.role(&container.id).is_some();
    let listening = if is_up {
        ListeningPorts::default()
    } else {
        own.listening()
    };
    Clash::find(&container.name, &wanted, &running, &listening)
        .map_or(Ok(()), |clash| Err(ActionError::Clash(clash)))
}
