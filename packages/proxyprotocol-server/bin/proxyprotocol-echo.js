#!/usr/bin/env node
import { runEcho } from '../dist/cli/index.js'

process.exitCode = await runEcho(process.argv.slice(2))
