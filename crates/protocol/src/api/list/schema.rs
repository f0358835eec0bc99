//! How the OpenAPI document describes lists and rows. A derived description has one name for a generic type, whatever it
//! holds, and leaves out what it holds; these are named after it (`ContainerRow`) and bring it along.

use super::{List, Row, UnreachableDevice};
use crate::{id::DeviceId, name::DeviceName};
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Ref, RefOr, Schema, SchemaFormat,
        schema::{ArrayBuilder, ObjectBuilder, Type},
    },
};

type Named = Vec<(String, RefOr<Schema>)>;

fn reference<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}

/// Adds a type and everything that it refers to.
fn bring<T: ToSchema>(schemas: &mut Named) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        let unreachable = ArrayBuilder::new()
            .items(reference::<UnreachableDevice>())
            .description(Some(
                "Devices whose rows are as old as their `as_of` says, because they cannot be asked now.",
            ));
        let seq = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0))
            .description(Some("The last live frame that is already contained in `items`."));
        ObjectBuilder::new()
            .description(Some("A list over all devices that were asked for."))
            .property("items", ArrayBuilder::new().items(reference::<T>()))
            .required("items")
            .property("unreachable_devices", unreachable)
            .property("seq", seq)
            .into()
    }
}

impl<T: ToSchema> ToSchema for List<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Named) {
        bring::<T>(schemas);
        bring::<UnreachableDevice>(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Row<T> {
    fn schema() -> RefOr<Schema> {
        let as_of = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("The moment for which the row is known to be true."));
        ObjectBuilder::new()
            .description(Some("Something on a device."))
            .property("device", reference::<DeviceName>())
            .required("device")
            .property("device_id", reference::<DeviceId>())
            .required("device_id")
            .property("item", reference::<T>())
            .required("item")
            .property("as_of", as_of)
            .required("as_of")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Row<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Row", T::name()).into()
    }

    fn schemas(schemas: &mut Named) {
        bring::<T>(schemas);
        bring::<DeviceName>(schemas);
        bring::<DeviceId>(schemas);
    }
}
