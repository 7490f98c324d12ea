/**
 * Set to `true` in the environment of Pulumi, it keeps the services' data whatever the state says. A destroy does not run
 * the program, so a `timelift:protect` that no `up` has brought into the state yet would not reach it otherwise.
 */
export const keepDataVariable = "TIMELIFT_KEEP_DATA";

export const keepsData = (env: NodeJS.ProcessEnv = process.env) => env[keepDataVariable] === "true";
