import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { TimeliftError } from "../../loaders/timelift-error.ts";

const iterations = 4096;
const derive = promisify(pbkdf2);

/**
 * The SCRAM-SHA-256 secret that PostgreSQL stores for a password, so that the password itself never travels in
 * a statement.
 *
 * PgBouncer can pass a login through to the server only if both hold the same secret, salt included. So the
 * salt is derived from role and password rather than drawn: by a slow function, because a salt is public and
 * must not make guessing cheaper than the secret itself does.
 *
 * @throws TimeliftError `password-unsupported` where the password is not printable ASCII; SCRAM would first
 * normalise anything else, and each client does that differently.
 */
export async function scramSecret(role: string, password: string): Promise<string> {
  if (!/^[\x20-\x7e]+$/.test(password)) {
    throw new TimeliftError({
      code: "password-unsupported",
      subject: `password of ${role}`,
      problem: "it is empty or has characters other than printable ASCII.",
      remedy: "choose another; `openssl rand -hex 16` makes a good one.",
    });
  }
  const salt = (await derive(password, `timelift ${role}`, iterations, 32, "sha256")).subarray(0, 16);
  const salted = await derive(password, salt, iterations, 32, "sha256");
  return secretOf(salt, salted);
}

function secretOf(salt: Buffer, salted: Buffer): string {
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest("base64");
  const serverKey = hmac(salted, "Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
