// What can be filed here, and the steps that lead there.

const MONTHS = Array.from({ length: 3 }, (_, back) => {
  const month = new Date(new Date().getFullYear(), new Date().getMonth() - back - 1, 1);
  return month.toLocaleDateString("en", { month: "long", year: "numeric" });
});

export const PERIODS = MONTHS;

const PAID = ["start", "validation", "otp", "form", "submit", "payment", "done"];

export const JOURNEYS = {
  mri: {
    title: "Rental income",
    long: "Monthly rental income (MRI)",
    text: "For landlords: 7.5\u00a0% of the rent received in a month.",
    steps: PAID,
    question: "Rent received",
    rate: 0.075,
  },
  tot: {
    title: "Turnover tax",
    long: "Turnover tax (TOT)",
    text: "For small businesses: 1.5\u00a0% of a month's sales.",
    steps: PAID,
    question: "Gross sales",
    rate: 0.015,
  },
  nil: {
    title: "Nil return",
    long: "Nil return (NIL)",
    text: "For those who earned nothing in the period.",
    steps: ["start", "validation", "otp", "obligation", "submit", "done"],
  },
};

export const STEP_NAMES = {
  start: "Start",
  validation: "Your PIN",
  otp: "Code",
  form: "Return",
  obligation: "Obligation",
  submit: "Check",
  payment: "Payment",
  done: "Done",
};

export const OBLIGATIONS = ["Income tax", "Value added tax", "Pay as you earn"];

export const shillings = (amount) =>
  "KES " + amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
