function itself(object: object): object {
  return object
}

/** Gives a derived class's fields to the object as its own. */
export const Itself: new (object: object) => object = itself as unknown as new (object: object) => object // functions can be constructors
