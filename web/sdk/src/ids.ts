/** Crockford's base32 in lower case: no i, l, o, u, so that a token survives being read out or typed. */
const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

let counter = 0;

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));

/**
 * UUID version 7 of a time in Unix milliseconds. The twelve bits after the version count up, so ids of one page sort
 * in the order in which they were made even within a millisecond.
 */
export function uuid7(time: number): string {
  const random = randomBytes(8);
  random[0] = 0x80 | (random[0]! & 0x3f);
  const tail = Array.from(random, (byte) => (byte + 256).toString(16).slice(1)).join("");
  const head = time.toString(16).padStart(12, "0");
  const count = (0x7000 | (counter++ & 0xfff)).toString(16);
  return `${head.slice(0, 8)}-${head.slice(8)}-${count}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

/** When a version 7 UUID was made, in Unix milliseconds. */
export const timeOf = (id: string) => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** `cn-` and twelve characters (60 bits): what a visitor carries from the site into a WhatsApp chat. */
export const handshakeToken = () => "cn-" + Array.from(randomBytes(12), (byte) => CROCKFORD[byte & 31]).join("");
