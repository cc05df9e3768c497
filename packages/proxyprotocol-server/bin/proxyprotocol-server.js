#!/usr/bin/env node
import process from 'node:process'
import { runServer } from '../dist/cli/index.js'

process.exitCode = await runServer(process.argv.slice(2))
