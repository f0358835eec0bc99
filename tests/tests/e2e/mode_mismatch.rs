//! An agent that cannot move into its device's network mode: Needs attention shows it, and the agent moves when the
//! mode is chosen again.

use anyhow::{Result, ensure};
use flotilla_protocol::device::{Attention, Device, NetworkMode};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::install_text::{InstallText, PAUSE};
use flotilla_tests::lab::with_lab;
use flotilla_tests::modes::ModeFleet;
use flotilla_tests::program::run;

#[test]
fn an_agent_that_cannot_move_stays_and_moves_when_asked_again() -> Result<()> {
    with_lab(2, async |lab| {
        let machine = lab.machine(1);
        machine.load_images()?;
        let modes = ModeFleet::start(lab, NetworkMode::Host, &[InstallText::DockerRun]).await?;
        let device = &modes.devices[0];
        let before = modes.identity(device).await?;
        let eventually_has = async |wanted: &[Attention]| -> Result<Device> {
            eventually(&format!("{wanted:?}"), seconds(20.0), async || {
                let device = modes.control.device(device.name()).await?;
                ensure!(device.attention == wanted, "{:?}", device.attention);
                Ok(device)
            })
            .await
        };
        eventually_has(&[]).await?;

        // A container that does not start has the pause container's name.
        run(machine
            .docker()
            .args(["create", "--name", PAUSE, WORKER, "/no/such/program"]))?;
        modes.change(device, NetworkMode::Pause).await?;
        let runs = NetworkMode::Host;
        let stays = eventually_has(&[Attention::Strayed { runs }]).await?;
        ensure!(stays.mode == NetworkMode::Pause);
        modes.is_on_mesh(device.name()).await?;
        // The command line has to say it as well. The device is offline for a moment while its agent tries to move.
        eventually("people are told", seconds(20.0), async || {
            let shown = modes.control.cli(&["device", "show", device.name()])?;
            ensure!(shown.contains("Its agent runs in host mode."), "{shown}");
            Ok(())
        })
        .await?;

        run(machine.docker().args(["rm", PAUSE]))?;
        modes.change(device, NetworkMode::Pause).await?;
        eventually_has(&[]).await?;
        modes.is_on_mesh(device.name()).await?;
        ensure!(modes.identity(device).await? == before);
        Ok(())
    })
}
