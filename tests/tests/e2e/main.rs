//! The programs end to end: control, agents and engines in network namespaces; one file per subject.
//!
//! All of these tests are one program, so that what they share is linked once.

mod aarch64;
mod access;
mod add_device;
mod api_port;
mod bad_input;
mod config_file;
mod dataplane;
mod demo;
mod engines;
mod half_open;
mod images;
mod install;
mod install_obstacles;
mod inventory;
mod jobs;
mod lab;
mod link;
mod live;
mod logs;
mod mesh;
mod mesh_clock;
mod mesh_lan;
mod mesh_limits;
mod mesh_mtu;
mod mesh_nat;
mod mesh_obstacles;
mod mesh_service;
mod mode_mismatch;
mod modes;
mod modes_relay;
mod nat_lab;
mod odd_networks;
mod pod;
mod podman;
mod proxy;
mod recreate;
mod recreate_cases;
mod ssh_install;
mod strangers;
mod tokens;
