"""All settings, from the environment, and on a laptop also from the file `.env` beside manage.py.

Every value is read by a function of clinic/environment.py, which refuses a wrong value and says how
to correct it. `DEMO=on` is for a laptop: an embedded database, generated keys, loopback only.
Without `DEMO=on`, no setting has a default that could be unsafe in production. `.env.example`
explains each setting.
"""

import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from clinic import devdb, environment, languages
from clinic.environment import env_bool, env_date, env_file, env_int, env_list, env_phone, env_text
from clinic.opening_hours import ClinicHours
from clinic.outgoing import mailurl, smsurl

BASE_DIR = environment.BASE_DIR
LOCAL_DIR = BASE_DIR / ".local"


DEMO = env_bool("DEMO", False)
DEBUG = False  # the debug page would show answers, so no setting turns it on

# --- identity of this site --------------------------------------------------------------------
SECRET_KEY = env_text(
    "SECRET_KEY",
    "demo-only-" + "0" * 50 if DEMO else None,
    "Write SECRET_KEY=<50 or more random characters>, or DEMO=on for a laptop.",
)
if not DEMO and (len(SECRET_KEY) < 50 or SECRET_KEY.startswith(("demo-only", "django-insecure"))):
    raise ImproperlyConfigured(
        "SECRET_KEY is too short or a known default. Write 50 or more random characters."
    )
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS", "")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]" if DEMO else "")
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS: write the host names of this site, without '*'.")
if DEMO and set(ALLOWED_HOSTS) - {"127.0.0.1", "localhost", "[::1]", "testserver"}:
    raise ImproperlyConfigured("DEMO=on serves loopback only. Remove ALLOWED_HOSTS or DEMO.")

CLINIC_NAME = env_text("CLINIC_NAME", "Truffles Vein Specialists")
# the name in mails and text messages; other people may see it, so it must not reveal an illness
CLINIC_SHORT_NAME = env_text("CLINIC_SHORT_NAME", "Truffles")
CLINIC_PHONE = env_phone(
    "CLINIC_PHONE", "+1 202-555-0123" if DEMO else None, "Write the number patients call."
)
EMERGENCY_NUMBER = env_text("EMERGENCY_NUMBER", "911")
CRISIS_LINE = env_text("CRISIS_LINE", "988")
POISON_LINE = env_phone("POISON_LINE", "1-800-222-1222")
for _name, _number in (("EMERGENCY_NUMBER", EMERGENCY_NUMBER), ("CRISIS_LINE", CRISIS_LINE)):
    if not (_number.isascii() and _number.isdigit()):
        raise ImproperlyConfigured(
            f"{_name}={_number!r}: write only digits, as a phone dials them."
        )
CLINIC_PLACES = env_list("CLINIC_PLACES", "Main clinic")
_places = set(CLINIC_PLACES)
if not _places or len(_places) < len(CLINIC_PLACES) or max(map(len, _places)) > 80:
    raise ImproperlyConfigured(
        "CLINIC_PLACES: write names of at most 80 characters, each once, such as North,South."
    )
PHONE_REGION = env_text("PHONE_REGION", "US")
if PHONE_REGION not in phonenumbers.SUPPORTED_REGIONS:
    raise ImproperlyConfigured(
        f"PHONE_REGION={PHONE_REGION!r} is not a region. Write two capital letters, such as US."
    )

# the phone number of an interpreter who answers day and night, for patients who cannot read the
# English text; a check refuses the clinic's own number
INTERPRETER_PHONE = env_phone("INTERPRETER_PHONE", CLINIC_PHONE)
# the person whom patients tell of discrimination, or "none" if the clinic has fewer than 15
# employees
CIVIL_RIGHTS_CONTACT = env_text("CIVIL_RIGHTS_CONTACT", "")
# the address of the clinic's notice of privacy practices (45 CFR 164.520): a page of this site,
# such as /about/privacy-practices/, or an https:// address
PRIVACY_PRACTICES = env_text("PRIVACY_PRACTICES", "")
if PRIVACY_PRACTICES and not re.fullmatch(r"(/[a-z0-9-]|https://)\S*", PRIVACY_PRACTICES):
    raise ImproperlyConfigured(
        f"PRIVACY_PRACTICES={PRIVACY_PRACTICES!r}: write a page of this site, such as"
        " /about/privacy-practices/, or an address that begins with https://."
    )
LANGUAGE_NOTICES = Path(env_text("LANGUAGE_NOTICES", str(BASE_DIR / "clinic" / "notices.yaml")))

SITE_ORIGIN = env_text(
    "SITE_ORIGIN",
    "http://127.0.0.1:8000" if DEMO else None,
    "Write the address that patients type, such as https://clinic.example.org. Mails contain it.",
)
_origin = urlsplit(SITE_ORIGIN)
if not _origin.hostname or f"{_origin.scheme}://{_origin.netloc}" != SITE_ORIGIN:
    raise ImproperlyConfigured(
        f"SITE_ORIGIN={SITE_ORIGIN!r}: write scheme and host only, no path and no slash at the end,"
        " such as https://clinic.example.org."
    )
if _origin.scheme != "https" and not (DEMO and _origin.scheme == "http"):
    raise ImproperlyConfigured(
        f"SITE_ORIGIN={SITE_ORIGIN!r}: write an address that begins with https://."
    )

# --- time and language ------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = env_text("CLINIC_TIME_ZONE", "America/New_York")
try:
    ZoneInfo(TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError):
    raise ImproperlyConfigured(
        f"CLINIC_TIME_ZONE={TIME_ZONE!r} is not a time zone. Write one such as America/New_York."
    ) from None
try:
    CLINIC_HOURS = ClinicHours.parse(
        env_text("CLINIC_HOURS", "Mon-Fri 08:30-17:00"), env_list("CLINIC_HOLIDAYS", ""), TIME_ZONE
    )
except ValueError as error:
    raise ImproperlyConfigured(f"CLINIC_HOURS or CLINIC_HOLIDAYS: {error}") from None
# the country, or country and state, whose public holidays are proposed as closed days
PUBLIC_HOLIDAYS = env_text("PUBLIC_HOLIDAYS", "US")
if PUBLIC_HOLIDAYS == "off":
    PUBLIC_HOLIDAYS = ""
elif not re.fullmatch("[A-Z]{2}(-[A-Z0-9]{1,3})?", PUBLIC_HOLIDAYS):
    raise ImproperlyConfigured(
        f"PUBLIC_HOLIDAYS={PUBLIC_HOLIDAYS!r}: write a country and a state, such as US-NY, or off."
    )

USE_I18N = True
LANGUAGE_CODE = "en"
_LOCALE = BASE_DIR / "clinic" / "locale"
# a demonstration offers every language that has a folder, also one whose translation is under way
_wanted = env_list("CLINIC_LANGUAGES", ",".join(languages.compiled(_LOCALE)) if DEMO else "en")
LANGUAGES = languages.offered(_wanted, _LOCALE)
LOCALE_PATHS = [_LOCALE]

# --- the questionnaire ------------------------------------------------------------------------
# The suicide question is asked only if a clinician responds to its answers, because asking without
# a response does harm (docs/clinical-safety.md). A demonstration asks it only if the person who
# starts it says so, to walk these rules before signing them.
SI_SCREEN = env_bool("SI_SCREEN", not DEMO)
IRLS_LICENSED = env_bool("IRLS_LICENSED", False)
# whether rows also get the search tokens of the release before: see `manage.py rekey`
OLD_SEARCH_KEYS = env_bool("OLD_SEARCH_KEYS", not DEMO)
# where the clinic keeps its written procedure for words of self-harm
CRISIS_PROCEDURE = env_text("CRISIS_PROCEDURE", "")
# DRAFT_DAYS is how long a code opens saved answers. The next three say for how long an idle browser
# still opens saved answers: DRAFT_OWN_HOURS on the patient's own device, DRAFT_SHARED_MINUTES on a
# shared device, DRAFT_IDLE_MINUTES in drafts of an older release that did not ask about the device.
DRAFT_DAYS = env_int("DRAFT_DAYS", 7, 1, 30)
DRAFT_OWN_HOURS = env_int("DRAFT_OWN_HOURS", 24, 1, DRAFT_DAYS * 24)
DRAFT_IDLE_MINUTES = env_int("DRAFT_IDLE_MINUTES", 30, 5, 24 * 60)
# min(): a clinic with a DRAFT_IDLE_MINUTES below 20 gets that time for shared devices as well
DRAFT_SHARED_MINUTES = env_int("DRAFT_SHARED_MINUTES", min(20, DRAFT_IDLE_MINUTES), 5, 24 * 60)
# the idle minutes after which the veil hides sensitive answers
DRAFT_VEIL_MINUTES = env_int("DRAFT_VEIL_MINUTES", 30, 5, 24 * 60)
SHARED_DEVICE = env_bool("SHARED_DEVICE", False)  # on for a kiosk, which is never a patient's own
# A form sent faster than this may come from a bot, because a person needs longer. A form that may
# be urgent is never delayed.
MIN_FILL_SECONDS = env_int("MIN_FILL_SECONDS", 15, 0, 300)
LIMIT_INTAKE_STARTS = env_int("LIMIT_INTAKE_STARTS", 60, 1, 1_000_000)  # per peer and hour
LIMIT_PHONE_CALLS = env_int("LIMIT_PHONE_CALLS", 60, 1, 1_000_000)  # per member of staff and hour
LIMIT_INTAKE_SENDS = env_int("LIMIT_INTAKE_SENDS", 30, 1, 1_000_000)  # per peer and hour
LIMIT_CODES_PEER = env_int("LIMIT_CODES_PEER", 20, 1, 1_000_000)  # requests for codes, per hour
LIMIT_CODES_SITE = env_int("LIMIT_CODES_SITE", 300, 1, 1_000_000)  # per hour, of all peers together
LIMIT_TRIES_PEER = env_int("LIMIT_TRIES_PEER", 30, 1, 1_000_000)  # typed codes, per peer and hour
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", 0, 0, 5)  # proxies of ours that a request passes

# --- appointments -----------------------------------------------------------------------------
# requests: the clinic offers times for a wish; slots: patients choose a free slot
APPOINTMENT_MODE = env_text("APPOINTMENT_MODE", "requests")
if APPOINTMENT_MODE not in ("requests", "slots"):
    raise ImproperlyConfigured(f"APPOINTMENT_MODE={APPOINTMENT_MODE!r}: write requests or slots.")
# how many open requests one patient may have
APPOINTMENT_OPEN_REQUESTS = env_int("APPOINTMENT_OPEN_REQUESTS", 3, 1, 100)
APPOINTMENT_HOLD_MINUTES = env_int("APPOINTMENT_HOLD_MINUTES", 10, 1, 120)
APPOINTMENT_OFFER_HOURS = env_int("APPOINTMENT_OFFER_HOURS", 24, 1, 30 * 24)
# patients can cancel a visit until this many hours before it begins
APPOINTMENT_CANCEL_HOURS = env_int("APPOINTMENT_CANCEL_HOURS", 24, 0, 30 * 24)
# patients can say that they are here from this many minutes before the visit
APPOINTMENT_ARRIVAL_MINUTES = env_int("APPOINTMENT_ARRIVAL_MINUTES", 60, 5, 240)
# staff are asked about a patient who is not here this many minutes after the visit began
APPOINTMENT_NO_SHOW_MINUTES = env_int("APPOINTMENT_NO_SHOW_MINUTES", 15, 5, 240)
# a slot can be chosen until this many hours before it begins
APPOINTMENT_LEAD_HOURS = env_int("APPOINTMENT_LEAD_HOURS", 2, 0, 7 * 24)
APPOINTMENT_HORIZON_DAYS = env_int("APPOINTMENT_HORIZON_DAYS", 90, 14, 366)
APPOINTMENT_WAITLIST_BATCH = env_int("APPOINTMENT_WAITLIST_BATCH", 1, 1, 20)
_days = env_list("APPOINTMENT_REMIND_DAYS", "3,2")
if not all(day.isascii() and day.isdigit() and 0 < int(day) <= 30 for day in _days):
    raise ImproperlyConfigured(
        "APPOINTMENT_REMIND_DAYS: write days such as 3,2, each from 1 to 30."
    )
APPOINTMENT_REMIND_DAYS = sorted({int(day) for day in _days}, reverse=True)

# --- mail, text messages and the worker ---------------------------------------------------------
try:
    _mail = mailurl.read(
        env_text(
            "EMAIL_URL",
            f"file:{LOCAL_DIR / 'mail'}" if DEMO else None,
            "Write EMAIL_URL=smtp://user:password@host:587, or a provider such as "
            "postmark:?POSTMARK_SERVER_TOKEN=….",
        )
    )
except ValueError as error:
    raise ImproperlyConfigured(f"EMAIL_URL: {error}") from None
if _mail.folder and not DEMO:
    raise ImproperlyConfigured(
        "EMAIL_URL: file: is for a laptop (DEMO=on). These mails would reach no recipient. "
        "Write smtp://user:password@host:587 or a provider."
    )
EMAIL_BACKEND = _mail.backend
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starttls, _mail.tls
EMAIL_TIMEOUT = mailurl.TIMEOUT
EMAIL_FILE_PATH = _mail.folder
EMAIL_PROVIDER = _mail.provider
EMAIL_KEEPS_METADATA = bool(_mail.provider) and _mail.provider not in mailurl.WITHOUT_METADATA
ANYMAIL = {**_mail.options, "REQUESTS_TIMEOUT": mailurl.TIMEOUT}
EMAIL_FROM = env_text(
    "EMAIL_FROM",
    "clinic@example.org" if DEMO else None,
    "Write the address that mails come from. It must not reveal an illness.",
)
if not mailurl.is_sender(EMAIL_FROM):
    raise ImproperlyConfigured(
        f"EMAIL_FROM={EMAIL_FROM!r}: write clinic@example.org or Truffles <clinic@example.org>."
    )
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM
# the mail addresses to which the anchors of the audit trail are sent
AUDIT_ANCHOR_TO = env_list("AUDIT_ANCHOR_TO", "")
if wrong := [address for address in AUDIT_ANCHOR_TO if not mailurl.is_sender(address)]:
    raise ImproperlyConfigured(
        f"AUDIT_ANCHOR_TO: {wrong[0]!r} is not a mail address. Write addresses such as "
        "privacy@example.org, separated by commas."
    )
# Twilio sends the text messages, if SMS_URL is set. In production Twilio needs the date of the
# agreement, because Twilio learns who is a patient of the clinic.
try:
    _sms_url = env_text("SMS_URL", "")
    TWILIO = smsurl.read(_sms_url, demo=DEMO) if _sms_url else None
except ValueError as error:
    raise ImproperlyConfigured(f"SMS_URL: {error}") from None
SMS_AGREEMENT = env_date("SMS_AGREEMENT")
if TWILIO and not DEMO and not SMS_AGREEMENT:
    raise ImproperlyConfigured(
        "SMS_AGREEMENT is not set. Text messages show Twilio who your patients are. Sign Twilio's"
        " business associate agreement, then write the day of its signature, such as"
        " SMS_AGREEMENT=2026-01-31 (docs/operations.md, Text messages). Without an agreement,"
        " remove SMS_URL."
    )
# the path of another function send(*, to, text, key), see clinic/outgoing/sms.py; off: no texts
SMS_BACKEND = env_text("SMS_BACKEND", "clinic.outgoing.sms.console" if DEMO else "off")
if TWILIO:
    if "SMS_BACKEND" in environment.ENV:
        raise ImproperlyConfigured("SMS_URL and SMS_BACKEND: set one of the two, not both.")
    SMS_BACKEND = "clinic.outgoing.twilio.send"
if SMS_BACKEND == "off":
    SMS_BACKEND = ""
elif not all(part.isidentifier() for part in SMS_BACKEND.split(".")) or "." not in SMS_BACKEND:
    raise ImproperlyConfigured(
        f"SMS_BACKEND={SMS_BACKEND!r}: write the dotted path of a function, or off."
    )
if SMS_BACKEND == "clinic.outgoing.sms.console" and not DEMO:
    raise ImproperlyConfigured(
        "SMS_BACKEND: clinic.outgoing.sms.console is for a laptop. Write off, or "
        "the dotted path of your function."
    )
# the hours of the day, in the clinic's time zone, in which text messages are sent
_hours = re.fullmatch(r"(\d{1,2})-(\d{1,2})", env_text("TEXT_HOURS", "8-21"))
TEXT_HOURS = (int(_hours[1]), int(_hours[2])) if _hours else (0, 0)
if not 0 <= TEXT_HOURS[0] < TEXT_HOURS[1] <= 24:
    raise ImproperlyConfigured("TEXT_HOURS: write the first and last hour, such as 8-21.")
# text messages to one number, without the codes that a patient asks for
TEXTS_A_DAY = env_int("TEXTS_A_DAY", 5, 1, 100)
TEXTS_A_WEEK = env_int("TEXTS_A_WEEK", 10, 1, 500)
# minutes of opening time until the duty role is told of a red flag that no clinician has attended
# to, and between the further steps of the escalation
ESCALATE_MINUTES = env_int("ESCALATE_MINUTES", 30, 1, 24 * 60)
# seconds in which a clinician can undo a decision, because nothing is sent yet; 0: none
UNDO_SECONDS = env_int("UNDO_SECONDS", 60, 0, 600)
# days without a sign-in after which the open work of an account goes back to the worklist
STAFF_IDLE_DAYS = env_int("STAFF_IDLE_DAYS", 14, 1, 365)
# days without an event after which a decided submission whose visit was kept is closed
CLOSE_KEPT_DAYS = env_int("CLOSE_KEPT_DAYS", 30, 1, 365)
# the time that a worker has for a message before another worker may take it
OUTBOX_LEASE_SECONDS = env_int("OUTBOX_LEASE_SECONDS", 60, 10, 600)
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# --- database -----------------------------------------------------------------------------------
DATABASE_URL = env_text("DATABASE_URL", "")
EMBEDDED_DATABASE = DEMO and not DATABASE_URL
if not DATABASE_URL:
    if not DEMO:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set. Write DATABASE_URL=postgresql://user:password@host:5432/name,"
            " or DEMO=on for the embedded database."
        )
    DATABASE_URL = devdb.url(LOCAL_DIR / "pg")
DATABASES = {"default": environment.database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# All processes share the cache, in which the sign-in stores used codes and counts wrong codes. A
# backend that unpickles is forbidden, because a person who can write a row could then run code in
# the web server (decision 0019).
CACHES = {"default": {"BACKEND": "clinic.people.cache.SignedCache"}}

# --- rendered pages -----------------------------------------------------------------------------
# the store of public pages: a folder for one machine, redis:// for several, or off
PAGE_STORE = env_text("PAGE_STORE", str(LOCAL_DIR / "pages") if DEMO else "/var/cache/clinic/pages")
if PAGE_STORE.startswith(("redis://", "rediss://")):
    if not find_spec("redis"):
        raise ImproperlyConfigured(
            "PAGE_STORE=redis://… needs the package redis, which is not installed. Install "
            "redis~=8.1 (docs/operations.md), or name a folder."
        )
elif PAGE_STORE != "off" and not Path(PAGE_STORE).is_absolute():
    raise ImproperlyConfigured(
        f"PAGE_STORE={PAGE_STORE!r}: write the whole path of a folder, redis://host:6379/0, or off."
    )

# --- keys of sealed fields ----------------------------------------------------------------------
FIELD_KEYS_FILE = env_file("FIELD_KEYS_FILE", LOCAL_DIR / "field-keys.json" if DEMO else None)
INDEX_KEY_FILE = env_file("INDEX_KEY_FILE", LOCAL_DIR / "index-key" if DEMO else None)

# --- signatures of protocols --------------------------------------------------------------------
# a folder with signatures, outside the program's own files; '' for the files in each protocol's
# folder
PROTOCOL_APPROVALS = env_text("PROTOCOL_APPROVALS", "")
if PROTOCOL_APPROVALS and not Path(PROTOCOL_APPROVALS).is_dir():
    raise ImproperlyConfigured(
        f"PROTOCOL_APPROVALS={PROTOCOL_APPROVALS!r}: there is no such folder. Write the whole path "
        "of the folder with the signatures, or nothing."
    )

# --- the program --------------------------------------------------------------------------------
ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"
INSTALLED_APPS = [
    "clinic.adminconf.ClinicAdminConfig",  # Django's admin behind our own sign-in
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",  # the second-factor pages of allauth need it
    "django.forms",  # with FORM_RENDERER, lets our templates replace Django's widget templates
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "crispy_forms",
    # queued tasks; importing it also runs django_stubs_ext.monkeypatch(), which allows
    # ModelAdmin[User] at run time
    "django_tasks",
    "django_tasks_db",
    "clinic",
    "intake",
    "education",
]
MIDDLEWARE = [
    "clinic.middleware.EdgeMiddleware",
    # stores pages with the headers that the middleware below has added, and serves them
    "clinic.pagecache.rendered.RenderedMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # GZip's random padding and the masked form token defeat the BREACH attack
    "django.middleware.gzip.GZipMiddleware",
    # these two stand before WhiteNoise, because static files skip the middleware below WhiteNoise
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "clinic.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "clinic.people.unsent_page.UnsentFormMiddleware",
    "clinic.people.sign_in.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["clinic.templatetags.forms_pack"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.context.site",
            ],
        },
    }
]
FORM_RENDERER = "clinic.form_rendering.FormRenderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = "forms"
CRISPY_TEMPLATE_PACK = "forms"

# --- static files -------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static-built"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEMO
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        # file names with hashes need collectstatic, which a laptop skips
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- what the browser may do --------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"  # 'no-referrer' would break Django's form tokens
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = not DEMO
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 0 if DEMO else 63_072_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEMO
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEMO
_COOKIE = "" if DEMO else "__Host-"  # the prefix needs TLS; DEMO is plain HTTP on loopback
SESSION_COOKIE_NAME = f"{_COOKIE}staff"
CSRF_COOKIE_NAME = f"{_COOKIE}form"
STAFF_PAGES_COOKIE_NAME = f"{_COOKIE}pages"  # for whom staff pages were made: people/unsent.py
DRAFT_COOKIE_NAME = f"{_COOKIE}draft"
RETURN_COOKIE_NAME = f"{_COOKIE}my"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = DRAFT_DAYS * 24 * 60 * 60  # protects answers for as long as they are kept
CSRF_FAILURE_VIEW = "clinic.views.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 300
DATA_UPLOAD_MAX_NUMBER_FILES = 1

# --- sign-in ------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "clinic.people.sign_in.RoleBackend",
]
_VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATORS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATORS}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/admin/"
ACCOUNT_ADAPTER = "clinic.people.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an administrator makes the accounts, without verifying mail
MFA_TOTP_ISSUER = CLINIC_NAME
MFA_ADAPTER = "clinic.people.sign_in.MFAAdapter"
# also accept the previous and the next code, because clocks of phones may be wrong
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "clinic.people.factors.AuthenticateForm",
    "reauthenticate": "clinic.people.factors.ReauthenticateForm",
    "activate_totp": "clinic.people.factors.ActivateForm",
}
MFA_RECOVERY_CODES_SHOW_ONCE = True
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "clinic.people.attempts.locked"
AXES_VERBOSE = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "clinic.people.sign_in.client_address"
AXES_USERNAME_CALLABLE = "clinic.people.attempts.counted_as"
AXES_HANDLER = "clinic.people.attempts.Attempts"
SESSION_ENGINE = "clinic.people.sessions"
SESSION_COOKIE_AGE = STAFF_IDLE_SECONDS = 15 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# messages on staff pages contain references, so they are stored in the session, not in a cookie
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
STAFF_SESSION_SECONDS = 12 * 3600

# --- logs: an allow-list of keys, see clinic/logs.py ----------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "clinic.logs.JsonFormatter"}},
    "handlers": {
        "stdout": {"class": "logging.StreamHandler", "formatter": "json"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stdout"], "level": "INFO" if not DEMO else "WARNING"},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "INFO"},
        # errors only, because the warnings (a refusal, an unknown address) are in our own log lines
        "django.request": {"handlers": [], "propagate": True, "level": "ERROR"},
        "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
        # warnings only, because the worker polls every second and each poll would write a line
        "django_tasks": {"handlers": [], "propagate": True, "level": "WARNING"},
        "django_tasks_db": {"handlers": [], "propagate": True, "level": "WARNING"},
        # errors only, because each PDF warns of styles that paper does not know
        "weasyprint": {"handlers": [], "propagate": True, "level": "ERROR"},
        # without any handler, Python would print the message with the host name that was sent
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
    },
}
