"""`trimtab completion`: what a shell needs to complete this command."""

import click
from click.shell_completion import get_completion_class

VARIABLE = "_TRIMTAB_COMPLETE"
"""By this variable of the environment the shell asks for proposals; click derives it from the name."""


@click.command(short_help="Print the shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes commands, options, manifests, runs and logs.

    \b
    bash:  echo 'eval "$(trimtab completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(trimtab completion zsh)"' >> ~/.zshrc
    fish:  trimtab completion fish > ~/.config/fish/completions/trimtab.fish
    """
    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(ctx.find_root().command, {}, "trimtab", VARIABLE).source())
