/** The entry of a tar archive that makes a folder which belongs to a user, for this user alone. */
export function folderEntry(path: string, uid: number, gid: number): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  header.write(`.${path}/`, 0, 100);
  header.write(`${octal(0o700, 7)}\0`, 100);
  header.write(`${octal(uid, 7)}\0`, 108);
  header.write(`${octal(gid, 7)}\0`, 116);
  header.write(`${octal(0, 11)}\0`, 124);
  header.write(`${octal(0, 11)}\0`, 136);
  // The checksum is counted with spaces in its own place.
  header.write("        ", 148);
  header.write("5", 156);
  header.write("ustar\0", 257);
  header.write("00", 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}
