// Fields in a row without gaps.

/** One field of a header. */
export interface HeaderField {
  /** As in the specification, for example `source address`. */
  readonly name: string
  /** Bytes from the start of the header. */
  readonly offset: number
  readonly byteLength: number
  /** Text from the network: escape it where you show it. */
  readonly value: string
  /** Section of the specification. */
  readonly section: string
  /** In order: type, length and value of a TLV. */
  readonly fields: readonly HeaderField[]
}

export class FieldList {
  readonly fields: HeaderField[] = []
  readonly #section: string
  #offset: number

  constructor(offset: number, section: string) {
    this.#offset = offset
    this.#section = section
  }

  get offset(): number {
    return this.#offset
  }

  add(name: string, byteLength: number, value: string): this {
    const offset = this.#offset
    return this.addField({ name, offset, byteLength, value, section: this.#section, fields: [] })
  }

  addField(field: HeaderField): this {
    this.fields.push(field)
    this.#offset += field.byteLength
    return this
  }
}
