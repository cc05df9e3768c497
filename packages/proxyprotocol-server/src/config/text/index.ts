// The text of a configuration: parsing, problems with positions, the nearest word.

export { ConfigError } from './config-error.ts'
export { parseJson } from './json.ts'
export { nearest } from './nearest.ts'
export { checked, type Problem } from './problems.ts'
export { nodeAt, schemaNode, type SchemaNode, UNITS } from './schema-node.ts'
export { showPath } from './show-path.ts'
export { wanted } from './wanted.ts'
