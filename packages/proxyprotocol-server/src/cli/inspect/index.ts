export { runInspect } from './inspect.ts'
