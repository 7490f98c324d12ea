# shellcheck shell=sh disable=SC2034
# What timelift runs on. README.md in this folder says how each is raised.

node_minimum=22.18.0
node_version=24.21.0

npm_minimum=10.0.0
npm_version=11.21.2

# From PATH; as the official download, the same version as @pulumi/pulumi in package.json; from Go modules.
pulumi_minimum=3.200.0
pulumi_version=3.270.0
pulumi_built_version=3.258.0
language_host_built_version=3.68.0

# The one that the modules in pulumi-cli/ and pulumi-language-nodejs/ ask for.
go_version=1.25.11
