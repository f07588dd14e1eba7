//! Answers /status and /position: as a server while the bot runs, else one query into a file.

use crate::account::Account;
use crate::cents;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

pub fn serve(port: &str) -> io::Result<()> {
    let server = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    // A client that hangs up is no reason to stop answering the others.
    server.incoming().for_each(|client| drop(client.and_then(respond)));
    Ok(())
}

pub fn answer_once(path: &str) -> io::Result<()> {
    std::fs::write("/query/result.json", answer(path)?)
}

fn answer(path: &str) -> io::Result<String> {
    let account = Account::load()?;
    Ok(match path {
        "/status" => format!(r#"{{"status":"ok","data":{}}}"#, account.json()),
        "/position" => format!(
            r#"{{"status":"ok","data":{{"units":{},"price":"{}","profit":"{}"}}}}"#,
            account.units,
            cents(account.price),
            cents(account.profit())
        ),
        _ => r#"{"status":"error","error":"ask /status or /position"}"#.to_string(),
    })
}

/// A query comes as a GET with its parameters in the query string.
fn respond(mut client: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    // Headers, up to an empty line.
    while lines.next().transpose()?.map_or(false, |line| !line.is_empty()) {}
    let target = request.split(' ').nth(1).unwrap_or("");
    let body = answer(target.split('?').next().unwrap_or(""))?;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    write!(client, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
