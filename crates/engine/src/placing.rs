//! Putting containers into the pod of this device, and taking them out of it.

use crate::{
    action::{ActionError, lookup},
    connection::Connection,
    follow::Engine,
    own::OwnContainer,
    pod::Pod,
    ports::{Clash, Listening, Occupant, PortNumber},
    read::Observed,
    recreate::{Network, Pace, Swap},
};
use flotilla_protocol::{Timestamp, inventory::ContainerState};
use std::collections::BTreeSet;

impl Engine {
    /// Plans to make a container anew as a member of the device's pod, or, with `member` unset, where it was before.
    /// `None` when it already is as wished. Nothing is changed; [`Self::begin`] carries it out.
    ///
    /// # Errors
    /// Why that can't be done; see [`ActionError`].
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

/// Finds the container in whose way `newcomer` would be in the pod.
///
/// # Errors
/// [`ActionError::Clash`].
pub(crate) async fn check_ports(
    connection: &Connection,
    newcomer: &Observed,
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
        // As it is now: what was seen of it is as old as the last event, and its stop may have been answered since.
        if let Ok(seen) = lookup(connection, &member.id).await
            && seen.container.state == ContainerState::Running
        {
            running.push(Occupant {
                ports: declared(&seen.declared, &seen.container.image_id).await,
                name: seen.container.name,
            });
        }
    }
    // What a member that is up listens on is its own.
    let is_up = container.state == ContainerState::Running && pod.role(&container.id).is_some();
    let listening = if is_up {
        Listening::default()
    } else {
        own.listening()
    };
    Clash::find(&container.name, &wanted, &running, &listening)
        .map_or(Ok(()), |clash| Err(ActionError::Clash(clash)))
}
