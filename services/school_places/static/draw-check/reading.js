// Reads a public file strictly: byte by byte, and only its one canonical form (RFC 8785, members in order).
// So the bytes of the roll that were hashed are the bytes of the file, and every altered byte has a place.

const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c, MINUS = 0x2d, POINT = 0x2e, COLON = 0x3a;
const OPEN_LIST = 0x5b, CLOSE_LIST = 0x5d, OPEN = 0x7b, CLOSE = 0x7d;
const SCHEMA = "urn:haiyiban:schemas:school-places:public-file:v1";
const DIGEST = /^[0-9a-f]{64}$/;
const SHORT_ESCAPES = { '"': '"', "\\": "\\", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", "/": "/" };
const HALF_A_CHARACTER = /\p{Surrogate}/u;
const SHOWN_BYTES = 24;

/** This is not a public file as it was published. `at`: JSON pointer, `byte`: counted from 0; either may say it. */
export class NotTheFile extends Error {
  constructor(zh, en, { at = "", byte = null, found = "" } = {}) {
    super(en);
    Object.assign(this, { zh, en, at, byte, found });
  }
}

/** The file that these bytes are, with the bytes of its roll. Throws NotTheFile. */
export function readFile(bytes) {
  const reader = new Reader(bytes);
  const file = reader.object("", {
    beacon: (at) => reader.text(at),
    campaign: (at) => reader.text(at),
    commitment: (at) => reader.digest(at),
    cutoffs: (at) => reader.list(at, (each) => reader.cutoff(each)),
    lottery: (at) => reader.numbers(at, 0),
    placements: (at) => reader.numbers(at, -1),
    roll: (at) => reader.roll(at),
    rollHash: (at) => reader.digest(at),
    schema: (at) => reader.schema(at),
    secret: (at) => reader.text(at),
    seed: (at) => reader.digest(at),
  });
  reader.end();
  return file;
}

class Reader {
  #bytes;
  #at = 0;
  #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(bytes) {
    this.#bytes = bytes;
  }

  end() {
    if (this.#at !== this.#bytes.length) this.#refuse("", "文件结束", "the end of the file");
  }

  /** An object with exactly these members in this order; each is read by its function, given its pointer. */
  object(at, members) {
    const read = {};
    let before = OPEN;
    for (const name in members) {
      this.#expect(before, at);
      this.#name(at, name, members);
      read[name] = members[name](`${at}/${name}`);
      before = COMMA;
    }
    this.#expect(CLOSE, at);
    return read;
  }

  list(at, item) {
    const items = [];
    this.#expect(OPEN_LIST, at);
    if (this.#next() === CLOSE_LIST) {
      this.#at += 1;
      return items;
    }
    for (;;) {
      items.push(item(`${at}/${items.length}`));
      if (this.#next() === CLOSE_LIST) break;
      this.#expect(COMMA, at);
    }
    this.#at += 1;
    return items;
  }

  roll(at) {
    const start = this.#at;
    const roll = this.object(at, {
      pupils: (pupils) => this.list(pupils, (each) => this.#pupil(each)),
      schools: (schools) => this.list(schools, (each) => this.#school(each)),
      twinGroups: (groups) => this.list(groups, (each) => this.list(each, (twin) => this.text(twin))),
    });
    return { ...roll, bytes: this.#bytes.subarray(start, this.#at) };
  }

  #pupil(at) {
    return this.object(at, {
      choices: (each) => this.numbers(each, 0),
      priorities: (each) => this.numbers(each, -1),
      pseudonym: (each) => this.#nonEmpty(each),
    });
  }

  #school(at) {
    return this.object(at, { capacity: (each) => this.#number(each, 0), id: (each) => this.text(each) });
  }

  cutoff(at) {
    if (this.#next() !== 0x6e) {
      const number = (each) => this.#number(each, 0);
      return this.object(at, { lottery: number, priority: number });
    }
    for (const byte of [0x6e, 0x75, 0x6c, 0x6c]) this.#expect(byte, at);
    return null;
  }

  numbers(at, least) {
    return this.list(at, (each) => this.#number(each, least));
  }

  text(at) {
    this.#expect(QUOTE, at);
    const start = this.#at;
    const bytes = this.#bytes;
    let plain = true;
    while (bytes[this.#at] !== QUOTE) {
      const byte = bytes[this.#at];
      if (byte === BACKSLASH) {
        plain = false;
        this.#escape(at);
      } else if (byte === undefined || byte < 0x20) {
        this.#refuse(at, "一段文字", "a text");
      } else {
        this.#at += 1;
      }
    }
    const written = bytes.subarray(start, this.#at);
    this.#at += 1;
    const decoded = this.#decoded(written, start, at);
    return plain ? decoded : JSON.parse(`"${decoded}"`);
  }

  digest(at) {
    return this.#meeting(at, (text) => DIGEST.test(text), "64 位小写十六进制", "64 lower-case hex digits");
  }

  schema(at) {
    return this.#meeting(at, (text) => text === SCHEMA, SCHEMA, SCHEMA);
  }

  #nonEmpty(at) {
    return this.#meeting(at, (text) => text !== "", "不为空的代号", "a pseudonym that is not empty");
  }

  #meeting(at, holds, zh, en) {
    const start = this.#at;
    const text = this.text(at);
    if (!holds(text)) this.#refuse(at, zh, en, start);
    return text;
  }

  #number(at, least) {
    const start = this.#at;
    const isNegative = this.#next() === MINUS;
    if (isNegative) this.#at += 1;
    const first = this.#at;
    let value = 0;
    for (let digit = this.#digit(); digit >= 0; digit = this.#digit()) {
      value = value * 10 + digit;
      this.#at += 1;
      if (value === 0) break; // no number begins with 0 but 0 itself
    }
    if (this.#at === first) this.#refuse(at, "一个整数", "a whole number");
    if (isNegative && value === 0) this.#refuse(at, "0", "0", start);
    if (this.#next() === POINT || (this.#next() | 0x20) === 0x65) this.#refuse(at, "一个整数", "a whole number");
    if (isNegative) value = -value;
    if (value < least || !Number.isSafeInteger(value)) {
      this.#refuse(at, `${least} 到 2^53-1 的整数`, `a whole number from ${least} to 2^53-1`, start);
    }
    return value;
  }

  #digit() {
    const digit = this.#bytes[this.#at] - 0x30;
    return digit >= 0 && digit <= 9 ? digit : -1;
  }

  /** An escape as RFC 8785 writes it: short where there is a short one, else \u00xx in small letters. */
  #escape(at) {
    const start = this.#at;
    const rest = String.fromCharCode(...this.#bytes.subarray(start, start + 12));
    const unit = /^\\u([0-9a-fA-F]{4})(?:\\u([0-9a-fA-F]{4}))?/.exec(rest);
    const short = SHORT_ESCAPES[rest[1]];
    if (!unit && short === undefined) {
      this.#at += 1;
      this.#refuse(at, "JSON 转义", "an escape of JSON");
    }
    const character = unit ? characterOf(unit[1], unit[2]) : short;
    if (character === null) this.#refuse(at, "完整的字符", "a whole character");
    const canonical = JSON.stringify(character).slice(1, -1);
    if (!rest.startsWith(canonical)) {
      while (rest[this.#at - start] === canonical[this.#at - start]) this.#at += 1;
      this.#refuse(at, "RFC 8785 的写法", "the spelling of RFC 8785");
    }
    this.#at += canonical.length;
  }

  #decoded(written, start, at) {
    try {
      return this.#utf8.decode(written);
    } catch {
      // The first byte that begins no character: what comes before it decodes.
      let good = 0;
      for (let end = 1; end <= written.length; end += 1) {
        try {
          this.#utf8.decode(written.subarray(0, end));
          good = end;
        } catch {
          if (end - good >= 4) break;
        }
      }
      return this.#refuse(at, "UTF-8 文字", "text in UTF-8", start + good);
    }
  }

  #name(at, name, members) {
    const start = this.#at;
    for (const byte of writtenName(name)) {
      if (this.#bytes[this.#at] !== byte) {
        const found = this.#nameAt(start);
        const unknown = found !== null && !(found in members);
        this.#refuse(unknown ? `${at}/${found}` : at, `“${name}”`, `"${name}"`);
      }
      this.#at += 1;
    }
  }

  /** The name of the member that begins here; null where none does. */
  #nameAt(start) {
    const end = this.#bytes.indexOf(QUOTE, start + 1);
    if (this.#bytes[start] !== QUOTE || end < 0 || end > start + 64 || this.#bytes[end + 1] !== COLON) return null;
    return new TextDecoder().decode(this.#bytes.subarray(start + 1, end));
  }

  #next() {
    return this.#bytes[this.#at];
  }

  #expect(byte, at) {
    if (this.#bytes[this.#at] !== byte) {
      const mark = String.fromCharCode(byte);
      this.#refuse(at, `“${mark}”`, `"${mark}"`);
    }
    this.#at += 1;
  }

  #refuse(at, zh, en, byte = this.#at) {
    const found = new TextDecoder().decode(this.#bytes.subarray(byte, byte + SHOWN_BYTES));
    const place = at ? `${at}（第 ${byte} 字节）` : `第 ${byte} 字节`;
    throw new NotTheFile(
      `文件被改动、重新保存过，或不完整：${place}应为${zh}。请重新下载原件。`,
      `The file was altered, saved anew, or is incomplete: ${at || "the file"} at byte ${byte} must be ${en}. Download it again.`,
      { at, byte, found },
    );
  }
}

const writtenNames = new Map();

/** A member's name as it stands in the file. */
function writtenName(name) {
  if (!writtenNames.has(name)) writtenNames.set(name, new TextEncoder().encode(`"${name}":`));
  return writtenNames.get(name);
}

/** The character of one escaped unit, or of two that belong together; null for half of one. */
function characterOf(first, second) {
  const alone = String.fromCharCode(parseInt(first, 16));
  if (!HALF_A_CHARACTER.test(alone)) return alone;
  const both = alone + String.fromCharCode(parseInt(second ?? "0", 16));
  return HALF_A_CHARACTER.test(both) ? null : both;
}
