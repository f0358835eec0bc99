//! Texts that people read, by the page or part of a page where they read them. Words that a component always carries,
//! such as "Try again", are in that component, and labels of a few facts are beside the facts.

pub mod actions;
pub mod activity;
pub mod add_device;
pub mod addresses;
pub mod attention;
pub mod chart;
pub mod container;
pub mod containers;
pub mod dashboard;
pub mod device;
pub mod devices;
pub mod errors;
pub mod events;
pub mod forms;
pub mod frame;
pub mod inventory_table;
pub mod items;
pub mod jobs;
pub mod link;
pub mod logs;
pub mod mesh;
pub mod mode;
pub mod palette;
pub mod pods;
pub mod policy;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod system_agent;
pub mod table;
pub mod welcome;
