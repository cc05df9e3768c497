// Fields in a row without gaps: each starts where the one before it ends.

/** One field of a header, and what it is made of. */
export interface HeaderField {
  /** In the specification's words, for example `source address`. */
  readonly name: string
  /** Bytes from the start of the header. */
  readonly offset: number
  readonly byteLength: number
  /** What the bytes say; text from the network, so escape it where you show it. */
  readonly value: string
  /** The section of the specification that describes it. */
  readonly section: string
  /** In order, where the field is made of others: type, length and value of a TLV. */
  readonly fields: readonly HeaderField[]
}

/** Puts fields one behind the other. */
export class FieldList {
  readonly fields: HeaderField[] = []
  readonly #section: string
  #offset: number

  constructor(offset: number, section: string) {
    this.#offset = offset
    this.#section = section
  }

  /** Where the next field stands. */
  get offset(): number {
    return this.#offset
  }

  add(name: string, byteLength: number, value: string): this {
    const offset = this.#offset
    return this.addField({ name, offset, byteLength, value, section: this.#section, fields: [] })
  }

  /** One that stands where the list has come to. */
  addField(field: HeaderField): this {
    this.fields.push(field)
    this.#offset += field.byteLength
    return this
  }
}
