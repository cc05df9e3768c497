{{/* The labels by which Service, policies and monitor find the pods. */}}
{{- define "proxyprotocol.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The configuration as the pods read it. */}}
{{- define "proxyprotocol.config" -}}
{{- $shutdown := dict "readyDelay" (printf "%ds" (int .Values.readyDelay)) "drain" (printf "%ds" (int .Values.drain)) }}
{{- $own := dict "admin" (dict "listen" ":10009") "shutdown" $shutdown }}
{{- toPrettyJson (mergeOverwrite (dict "log" (dict "format" "json")) (deepCopy .Values.config) $own) }}
{{- end }}
