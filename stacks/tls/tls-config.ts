import { z } from "zod";

const text = z.string().min(1, "PEM text, or the path of a PEM file");

/**
 * `timelift:tls`: the certificate of the stack's servers, where others made it. Each of the three is PEM text, or the path
 * of a PEM file, relative to the project folder or absolute.
 */
export const tls = z
  .strictObject({
    /** The servers' certificate, then those between it and the authority. */
    certificate: text.optional(),
    /** Its private key, without a passphrase. */
    key: text.optional(),
    /** The certificate of the authority that clients trust. */
    authority: text.optional(),
    /** More names and IP addresses that a generated certificate shall have. */
    names: z.array(z.string().regex(/^[\w.:*-]+$/, "a host's name or an IP address")).default([]),
  })
  .superRefine((given, context) => {
    const parts = (["certificate", "key", "authority"] as const).filter((part) => given[part] !== undefined);
    if (parts.length === 1 || parts.length === 2) {
      const message = `it has ${parts.join(" and ")} only; certificate, key and authority belong together`;
      context.addIssue({ code: "custom", message });
    }
    if (parts.length === 3 && given.names.length > 0) {
      context.addIssue({
        code: "custom",
        message: "names are for a generated certificate, and one is given",
      });
    }
  })
  .prefault({});
export type TlsConfig = z.infer<typeof tls>;

/** Whether a text is PEM itself rather than the path of a file with it. */
export const isPem = (value: string) => value.includes("-----BEGIN");

/** What is wrong with where the private key is kept, or nothing. */
export function keyProblem({ key = "" }: TlsConfig, isSecret: (key: string) => boolean): string | undefined {
  return isPem(key) && !isSecret("timelift:tls")
    ? "its key is a private key and stands in the file in plain text"
    : undefined;
}
