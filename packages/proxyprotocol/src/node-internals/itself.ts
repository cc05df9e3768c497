function itself(object: object): object {
  return object
}

/** A base class that makes the fields of a derived class own properties of the given object. */
export const Itself: new (object: object) => object = itself as unknown as new (object: object) => object // functions can be constructors
