//! HTTP connections whose other ends may be slow, stuck or many: each may take up a place and little else.
//!
//! A connection ends when no request comes for some time, and when what is sent is not taken. A request may be worked on for as
//! long as it takes: nothing is sent then, so nothing is late.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Sleep, sleep};

use super::guard::Reached;

/// Connections at a time; more wait until one ends.
const MAX_CONNECTIONS: u32 = 256;

/// How long a client may take to send a request's headers, and to send the next one over the same connection.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);

/// How long a client may take to take a piece of what is sent.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// How long to wait when the system has no connection to give, as when too many files are open.
const OUT_OF_FILES: Duration = Duration::from_millis(100);

/// Serves until `closing` becomes true and what was asked by then is answered.
pub(super) async fn serve(listener: TcpListener, app: Router, mut closing: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    let accepting = tokio::spawn(accept(listener, app, Arc::clone(&places), closing.clone()));
    // Whoever could say so is gone: the same.
    let _ = closing.wait_for(|it| *it).await;
    accepting.abort();
    let _ = accepting.await;
    // All places are free when all connections have ended.
    let _ = places.acquire_many(MAX_CONNECTIONS).await;
}

async fn accept(listener: TcpListener, app: Router, places: Arc<Semaphore>, closing: watch::Receiver<bool>) {
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(OUT_OF_FILES).await;
            continue;
        };
        let (app, closing) = (app.clone(), closing.clone());
        tokio::spawn(async move {
            // What goes wrong with a connection is its client's affair.
            let _ = connection(stream, app, closing).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, app: Router, mut closing: watch::Receiver<bool>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let reached = Reached(stream.local_addr()?);
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(reached);
        app.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    let stream = TokioIo::new(Impatient { stream, stuck: None });
    let mut connection = pin!(http.serve_connection(stream, service));
    let mut closing = pin!(closing.wait_for(|it| *it));
    let mut is_closing = false;
    poll_fn(|context| {
        if !is_closing && closing.as_mut().poll(context).is_ready() {
            is_closing = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(context)
    })
    .await
    .map_err(io::Error::other)
}

/// A stream that gives up when the other end takes nothing.
#[derive(Debug)]
struct Impatient {
    stream: TcpStream,
    /// When it has had enough; `None` while all is taken.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    /// What came of a write.
    fn judge<T>(&mut self, context: &mut Context<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.stuck = None;
            return wrote;
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(TAKEN_WITHIN)));
        ready!(stuck.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.judge(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wrote = Pin::new(&mut self.stream).poll_flush(context);
        self.judge(context, wrote)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wrote = Pin::new(&mut self.stream).poll_shutdown(context);
        self.judge(context, wrote)
    }
}
