/** What a server proves itself by, and by what its clients know it. All as PEM. */
export interface ServerCertificate {
  /** The server's certificate, then those between it and the authority, if there are any. */
  certificate: string;
  /** Its private key, without a passphrase. */
  key: string;
  /** The certificates of the authorities that clients trust. */
  authority: string;
}

/** Names of the files in which services find it. */
export const certificateFiles: Record<keyof ServerCertificate, string> = {
  certificate: "server.crt",
  key: "server.key",
  authority: "authority.pem",
};
