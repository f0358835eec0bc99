//! One line of the table of routes: where it is, what it needs, which types travel over it, and what answers.

use crate::core::Core;
use axum::{
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};
use flotilla_protocol::{
    api::{
        Method::{self, Delete, Get, Patch, Post, Put},
        Request, Verb,
    },
    stream::{End, Streaming},
};
use std::sync::Arc;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

/// What a caller must be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Served without a credential to every program on this computer.
    Nothing,
    /// On the device that the path names.
    OnDevice(Verb),
    /// On some device: the handler tells and does only what is in the caller's scope.
    Somewhere(Verb),
    /// In the whole fleet.
    Everywhere(Verb),
}

impl Needs {
    pub(super) fn verb(self) -> Option<Verb> {
        match self {
            Self::Nothing => None,
            Self::OnDevice(verb) | Self::Somewhere(verb) | Self::Everywhere(verb) => Some(verb),
        }
    }
}

/// One line of the table.
pub(super) struct Route {
    pub(super) method: Method,
    /// The path below [`PREFIX`].
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) summary: &'static str,
    /// Query parameters; each can be given several times.
    pub(super) filters: &'static [&'static str],
    /// `None` for what is no call with one answer, or has no typed one.
    pub(super) call: Option<TypedCall>,
    /// `None` for what is no stream.
    pub(super) stream: Option<TypedStream>,
    pub(super) serve: MethodRouter<Arc<Core>>,
}

/// The types that travel over a route.
pub(super) struct TypedCall {
    /// Rust's name of the request.
    #[cfg(test)]
    pub(super) request: &'static str,
    /// `None` when the method has no body.
    pub(super) body: Option<Described>,
    pub(super) answer: Described,
}

/// The types that travel over a stream.
pub(super) struct TypedStream {
    pub(super) open: Described,
    pub(super) item: Described,
    pub(super) end: Described,
}

/// How the OpenAPI document describes a type.
pub(super) struct Described {
    pub(super) schema: fn() -> RefOr<Schema>,
    /// Adds the named types that the schema refers to.
    pub(super) named: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Described {
    pub(super) fn of<T: ToSchema>() -> Self {
        Self {
            schema: T::schema,
            named: T::schemas,
        }
    }

    /// The end of a stream, of which this may come.
    fn end<T: ToSchema>() -> Self {
        Self {
            named: |named| {
                named.push((T::name().into_owned(), T::schema()));
                End::<T>::schemas(named);
            },
            ..Self::of::<End<T>>()
        }
    }
}

impl Route {
    pub(super) fn new<T: 'static>(
        method: Method,
        path: &'static str,
        needs: Needs,
        summary: &'static str,
        handler: impl Handler<T, Arc<Core>>,
    ) -> Self {
        Self {
            method,
            path,
            needs,
            summary,
            filters: &[],
            call: None,
            stream: None,
            serve: on(filter(method), handler),
        }
    }

    /// A route that is a stream of this kind: its handler serves a [`super::streams::StreamSocket`].
    pub(super) fn stream<S, T: 'static>(
        needs: Needs,
        summary: &'static str,
        handler: impl Handler<T, Arc<Core>>,
    ) -> Self
    where
        S: Streaming<Open: ToSchema, Item: ToSchema, End: ToSchema>,
    {
        let stream = TypedStream {
            open: Described::of::<S::Open>(),
            item: Described::of::<S::Item>(),
            end: Described::end::<S::End>(),
        };
        Self {
            stream: Some(stream),
            ..Self::new(Get, S::PATH, needs, summary, handler)
        }
    }

    /// Says which request the route answers.
    pub(super) fn of<R: Request<Body: ToSchema, Response: ToSchema>>(mut self) -> Self {
        self.call = Some(TypedCall {
            #[cfg(test)]
            request: std::any::type_name::<R>(),
            body: R::METHOD.has_body().then(Described::of::<R::Body>),
            answer: Described::of::<R::Response>(),
        });
        self
    }

    pub(super) fn filtered_by(mut self, filters: &'static [&'static str]) -> Self {
        self.filters = filters;
        self
    }
}

pub(super) fn filter(method: Method) -> MethodFilter {
    match method {
        Get => MethodFilter::GET,
        Post => MethodFilter::POST,
        Put => MethodFilter::PUT,
        Patch => MethodFilter::PATCH,
        Delete => MethodFilter::DELETE,
    }
}
