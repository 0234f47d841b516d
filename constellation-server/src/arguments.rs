//! The command line, as it was typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use self::operator::OperatorCommand;
use crate::settings::overrides::Override;

pub(crate) mod operator;

/// Gives every resource exactly one owner: places HTTP requests on workers by their path.
#[derive(Debug, Parser)]
#[command(name = "constellation", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the controller. Writes a settings file with an admin key when there is none.
    Serve(SettingsArguments),
    /// Look at settings without running anything.
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(flatten)]
    Operate(OperatorCommand),
}

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the settings; exit code 2 when any is wrong.
    Check(SettingsArguments),
    /// Print the settings in force, without secrets.
    Show(SettingsArguments),
    /// Print a settings file with every default and no admin key.
    Default,
}

/// Where settings come from. A flag wins over an environment variable
/// (`CONSTELLATION__WEBSERVER__PORT=8000`), which wins over the file.
#[derive(Args)]
pub(crate) struct SettingsArguments {
    /// The settings file.
    #[arg(long, value_name = "FILE", default_value = "./constellation.json")]
    pub(crate) config: PathBuf,
    /// Where clients connect: Webserver.Hostname.
    #[arg(long, value_name = "HOST")]
    hostname: Option<String>,
    /// The port for clients: Webserver.Port.
    #[arg(long, value_name = "PORT", allow_hyphen_values = true)]
    port: Option<String>,
    /// Where workers connect: Websocket.Hostnames. Can be given several times.
    #[arg(long, value_name = "HOST")]
    websocket_hostname: Vec<String>,
    /// The port for workers: Websocket.Port.
    #[arg(long, value_name = "PORT", allow_hyphen_values = true)]
    websocket_port: Option<String>,
    /// Threads that carry clients and workers: Webserver.Threads.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    threads: Option<String>,
    /// Any member, such as Heartbeat.IntervalMs=1000. Can be given several times. Other users of
    /// the machine can read it: keep secrets to the file.
    #[arg(long, value_name = "MEMBER=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
}

// By hand, because a value of `--set` may be a secret.
impl std::fmt::Debug for SettingsArguments {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SettingsArguments")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl SettingsArguments {
    /// The flags that set members.
    pub(crate) fn overrides(self) -> Vec<Override> {
        let hostnames = self.websocket_hostname;
        let hostnames = (!hostnames.is_empty()).then(|| hostnames.join(","));
        let named = [
            ("--hostname", "Webserver.Hostname", self.hostname),
            ("--port", "Webserver.Port", self.port),
            ("--websocket-hostname", "Websocket.Hostnames", hostnames),
            ("--websocket-port", "Websocket.Port", self.websocket_port),
            ("--threads", "Webserver.Threads", self.threads),
        ];
        let named = named
            .into_iter()
            .filter_map(|(flag, member, text)| Some(Override::flag(flag, member, text?)));
        let set = self
            .set
            .into_iter()
            .map(|(member, text)| Override::flag("--set", &member, text));
        named.chain(set).collect()
    }
}

fn assignment(text: &str) -> Result<(String, String), &'static str> {
    let (member, value) = text.split_once('=').ok_or("there is no `=`")?;
    Ok((member.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_named_flag_sets_its_member() {
        let arguments = Arguments::try_parse_from([
            "constellation",
            "serve",
            "--hostname=*",
            "--port=-1",
            "--websocket-hostname=a",
            "--websocket-hostname=b",
            "--websocket-port",
            "0",
            "--threads=2",
            "--set=Webserver.Headers.DefaultHeaders.X-A=b=c",
        ])
        .unwrap();
        let Command::Serve(arguments) = arguments.command else {
            panic!("serve was asked for");
        };
        let overrides: Vec<_> = arguments
            .overrides()
            .into_iter()
            .map(|over| format!("{} {}={}", over.source, over.path.join("."), over.text))
            .collect();
        assert_eq!(
            overrides,
            [
                "flag --hostname Webserver.Hostname=*",
                "flag --port Webserver.Port=-1",
                "flag --websocket-hostname Websocket.Hostnames=a,b",
                "flag --websocket-port Websocket.Port=0",
                "flag --threads Webserver.Threads=2",
                "flag --set Webserver.Headers.DefaultHeaders.X-A=b=c",
            ]
        );
    }
}
