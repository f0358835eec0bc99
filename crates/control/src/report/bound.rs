//! The limits of everything that a device reports. Each type is destructured completely, so a new field does not
//! compile before it has a limit here.

use super::limiter::Limiter;
use flotilla_protocol::{
    agent::{Hello, ItemRef},
    device::{EndpointTrial, Facts, Usage},
    inventory::{
        Ailment, Container, EngineFacts, EngineState, FoundAs, Image, Item, Network, Port, Stack,
        StackFolder, Volume,
    },
    mesh::{MeshReport, MeshState},
    path::{PathAttempt, PeerPath},
};

/// Candidates of a device. A machine with more interfaces is found at the first ones.
const CANDIDATES: usize = 64;

/// Addresses of control that a device has tried; control gives it fewer.
const TRIALS: usize = 64;

/// A value that a device reports.
pub(crate) trait Bound {
    /// Cuts the value down to its limits.
    fn bound(&mut self, limiter: &mut Limiter);
}

/// A value within its limits.
pub(crate) fn bounded<T: Bound>(mut value: T) -> T {
    value.bound(&mut Limiter::default());
    value
}

impl Bound for Hello {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            protocol: _,
            agent_version,
            sent_at: _,
            facts,
        } = self;
        limiter.name(agent_version);
        facts.bound(limiter);
    }
}

impl Bound for Facts {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            hostname,
            os,
            kernel,
            arch,
            cpus,
            memory_bytes,
            disk_bytes,
            containerized: _,
        } = self;
        limiter.names([hostname, os, kernel, arch]);
        limiter.count(cpus);
        limiter.bytes(memory_bytes);
        limiter.bytes(disk_bytes);
    }
}

impl Bound for EngineState {
    fn bound(&mut self, limiter: &mut Limiter) {
        match self {
            Self::Running(facts) => facts.bound(limiter),
            Self::Absent { reason, since: _ }
            | Self::Stopped { reason, since: _ }
            | Self::Denied { reason, since: _ }
            | Self::Unfit { reason, since: _ } => limiter.sentence(reason),
            Self::Unknown => {}
        }
    }
}

impl Bound for EngineFacts {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            flavor,
            version,
            api_version,
            os,
            arch,
            storage_driver,
            rootless: _,
            docker_desktop: _,
            ailment,
        } = self;
        limiter.names([flavor, version, api_version, os, arch, storage_driver]);
        if let Some(Ailment { reason, since: _ }) = ailment {
            limiter.sentence(reason);
        }
    }
}

impl Bound for Usage {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            cpu_cores,
            memory_bytes,
            disk_bytes,
        } = self;
        limiter.cores(cpu_cores);
        limiter.bytes(memory_bytes);
        limiter.bytes(disk_bytes);
    }
}

impl Bound for MeshReport {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            state,
            revision: _,
            candidates,
            home_relay: _,
            nat: _,
        } = self;
        match state {
            MeshState::Up {
                interface,
                mtu: _,
                obstacle,
            } => {
                limiter.name(interface);
                if let Some(obstacle) = obstacle {
                    limiter.sentence(&mut obstacle.reason);
                }
            }
            MeshState::Down { code: _, reason } => limiter.sentence(reason),
            MeshState::Starting | MeshState::Unknown => {}
        }
        limiter.list_of(candidates, CANDIDATES);
    }
}

impl Bound for PeerPath {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            peer: _,
            why: _,
            relay: _,
            remote: _,
            cause: _,
            rtt_ms,
            since: _,
            last_handshake: _,
            received_bytes,
            sent_bytes,
            mtu: _,
        } = self;
        limiter.round_trip(rtt_ms);
        limiter.bytes(received_bytes);
        limiter.bytes(sent_bytes);
    }
}

impl Bound for Vec<PathAttempt> {
    fn bound(&mut self, limiter: &mut Limiter) {
        limiter.list_of(self, CANDIDATES);
        for attempt in self {
            let PathAttempt { target, rtt_ms } = attempt;
            limiter.name(target);
            limiter.round_trip(rtt_ms);
        }
    }
}

impl Bound for Vec<EndpointTrial> {
    fn bound(&mut self, limiter: &mut Limiter) {
        limiter.list_of(self, TRIALS);
        for trial in self {
            let EndpointTrial {
                endpoint: _, // its own type keeps it short
                reached: _,
                reason,
                at: _,
            } = trial;
            reason.iter_mut().for_each(|reason| limiter.sentence(reason));
        }
    }
}

impl Bound for ItemRef {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self { kind: _, key } = self;
        limiter.name(key);
    }
}

impl Bound for Item {
    fn bound(&mut self, limiter: &mut Limiter) {
        match self {
            Self::Container(item) => item.bound(limiter),
            Self::Image(item) => item.bound(limiter),
            Self::Volume(item) => item.bound(limiter),
            Self::Network(item) => item.bound(limiter),
            Self::Stack(item) => item.bound(limiter),
            Self::Unknown => {}
        }
    }
}

impl Bound for Container {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            id,
            name,
            image,
            image_id,
            state: _,
            status,
            health: _,
            stack,
            service,
            ports,
            created: _,
            started: _,
            finished: _,
            exit_code: _,
            failure,
            unread,
            oom_killed: _,
            restarts,
            network_mode,
            volumes,
            networks,
            is_agent: _,
            pod: _,
            found_as,
        } = self;
        limiter.names([id, name, image_id, status, network_mode]);
        limiter.sentence(image);
        for reason in [failure, unread].into_iter().flatten() {
            limiter.sentence(reason);
        }
        limiter.names(stack);
        limiter.names(service);
        limiter.count(restarts);
        limiter.list(ports);
        for port in ports {
            let Port {
                private: _,
                private_last: _,
                protocol,
                public: _,
                address,
            } = port;
            limiter.name(protocol);
            limiter.names(address);
        }
        for names in [volumes, networks] {
            limiter.list(names);
            limiter.names(names);
        }
        found_as.bound(limiter);
    }
}

impl Bound for Vec<FoundAs> {
    fn bound(&mut self, limiter: &mut Limiter) {
        limiter.list(self);
        for found in self {
            let FoundAs {
                network,
                names,
                neighbors,
            } = found;
            limiter.name(network);
            for names in [names, neighbors] {
                limiter.list(names);
                limiter.names(names);
            }
        }
    }
}

impl Bound for Image {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            id,
            tags,
            digests,
            size_bytes,
            created: _,
            used_by,
        } = self;
        limiter.name(id);
        for references in [tags, digests] {
            limiter.list(references);
            references.iter_mut().for_each(|text| limiter.sentence(text));
        }
        limiter.bytes(size_bytes);
        used_by.iter_mut().for_each(|count| limiter.count(count));
    }
}

impl Bound for Volume {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            name,
            driver,
            mountpoint,
            created: _,
            used_by,
            stack,
            labels,
        } = self;
        limiter.names([name, driver]);
        limiter.path(mountpoint);
        limiter.list(used_by);
        limiter.names(used_by);
        limiter.names(stack);
        limiter.labels(labels);
    }
}

impl Bound for Network {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            id,
            name,
            driver,
            subnets,
            containers,
            stack,
            internal: _,
            attachable: _,
        } = self;
        limiter.names([id, name, driver]);
        for names in [subnets, containers] {
            limiter.list(names);
            limiter.names(names);
        }
        limiter.names(stack);
    }
}

impl Bound for Stack {
    fn bound(&mut self, limiter: &mut Limiter) {
        let Self {
            name,
            services,
            running,
            total,
            unhealthy,
            config_files,
            folders,
        } = self;
        limiter.name(name);
        limiter.list(folders);
        for StackFolder {
            path,
            services,
            config_files,
        } in folders
        {
            limiter.path(path);
            limiter.list(services);
            limiter.names(services);
            limiter.list(config_files);
            config_files.iter_mut().for_each(|path| limiter.path(path));
        }
        limiter.list(services);
        limiter.names(services);
        for count in [running, total, unhealthy] {
            limiter.count(count);
        }
        limiter.list(config_files);
        config_files.iter_mut().for_each(|path| limiter.path(path));
    }
}
