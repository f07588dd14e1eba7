{{- define "runtime.name" -}}
{{- if contains "runtime" .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- else -}}{{ printf "%s-runtime" .Release.Name | trunc 40 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "runtime.controller" -}}{{ include "runtime.name" . }}-bot-controller{{- end -}}

{{- define "runtime.secret" -}}
{{- .Values.global.existingSecret | default (printf "%s-store" (include "runtime.name" .)) -}}
{{- end -}}

{{- define "runtime.labels" -}}
app.kubernetes.io/name: runtime
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "runtime.selector" -}}
app.kubernetes.io/name: runtime
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "runtime.image" -}}
{{ .Values.botController.image.repository }}:{{ .Values.botController.image.tag }}
{{- end -}}

{{- define "runtime.isMongo" -}}
{{- if hasPrefix "mongodb" .Values.source -}}yes{{- end -}}
{{- end -}}

{{- define "runtime.endpoint" -}}
{{- if .Values.minio.enabled -}}
{{ include "runtime.name" . }}-minio:9000
{{- else -}}
{{ required "minio.endpoint: the address of the store, such as minio.example.com:9000 (or minio.enabled: true)" .Values.minio.endpoint }}
{{- end -}}
{{- end -}}

{{- define "runtime.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "runtime.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "runtime.storeEnv" -}}
- { name: MINIO_ENDPOINT, value: {{ include "runtime.endpoint" . | quote }} }
- { name: MINIO_USE_SSL, value: {{ ternary "false" (.Values.minio.useSSL | toString) .Values.minio.enabled | quote }} }
- { name: MINIO_REGION, value: {{ .Values.minio.region | quote }} }
- { name: MINIO_CODE_BUCKET, value: {{ .Values.botController.minio.bucket | quote }} }
- name: MINIO_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ include "runtime.secret" . }}, key: minio-access-key } }
- name: MINIO_SECRET_KEY
  valueFrom: { secretKeyRef: { name: {{ include "runtime.secret" . }}, key: minio-secret-key } }
{{- end -}}

{{- define "runtime.mongoEnv" -}}
- name: MONGO_URI
  valueFrom: { secretKeyRef: { name: {{ include "runtime.secret" . }}, key: mongo-url } }
- name: NATS_URL
  valueFrom: { secretKeyRef: { name: {{ include "runtime.secret" . }}, key: nats-url, optional: true } }
{{- end -}}

{{- define "runtime.podTemplate" -}}
{{- $more := dict -}}
{{- with .Values.global.imagePullSecrets }}{{- $_ := set $more "imagePullSecrets" . }}{{- end -}}
{{- if .Values.bots.priorityClass.create }}{{- $_ := set $more "priorityClassName" .Values.bots.priorityClass.name }}{{- end -}}
{{- merge $more .Values.bots.podTemplate | toJson -}}
{{- end -}}
